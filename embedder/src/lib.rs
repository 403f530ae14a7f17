//! Text to unit vectors in process: models, tokenizers and the threads they run on.
