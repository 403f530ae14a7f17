//! The real models. Without the assets folder these tests say so and pass: they never download anything.

use std::{
    env,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use tollfree_embedder::{
    Embedder, Error, Pool, PoolOptions, SameAnswer, Tokenizer,
    cross_encoder::CrossEncoder,
    minilm::{MiniLm, WordPiece},
    potion::StaticModel,
};

const GOALS: [&str; 6] = [
    "learn conversational Spanish in three months",
    "I want to be able to hold a conversation in Spanish within 3 months",
    "run a marathon in under four hours",
    "save 10000 dollars for a house",
    "a",
    "ünïcödé 目標 🎯 and a rather longer sentence, so that this batch has to be padded a good deal for the others",
];

/// The assets folder, as the set-up chooses it, if it holds `file`.
fn assets(file: &str) -> Option<PathBuf> {
    let variable = |name| {
        env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let root = variable("TOLLFREE_CACHE_DIR")
        .or_else(|| Some(variable("XDG_CACHE_HOME")?.join("tollfree")))
        .or_else(|| Some(variable("HOME")?.join(".cache/tollfree")))?;
    if root.join(file).exists() {
        return Some(root);
    }
    #[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
    {
        eprintln!("SKIPPED: {file} is not in the assets folder; run python3 deploy/setup/fetch.py");
    }
    None
}

fn runtime(root: &Path) -> PathBuf {
    root.join("onnxruntime/libonnxruntime.so")
}

fn minilm_dir(root: &Path) -> PathBuf {
    root.join("models/all-minilm-l6-v2")
}

fn minilm() -> Result<Option<MiniLm>> {
    let Some(root) = assets("models/all-minilm-l6-v2/model.onnx") else {
        return Ok(None);
    };
    Ok(Some(MiniLm::open(&runtime(&root), &minilm_dir(&root))?))
}

fn cross_encoder() -> Result<Option<CrossEncoder>> {
    let Some(root) = assets("models/all-minilm-l6-v2/tokenizer.json") else {
        return Ok(None);
    };
    Ok(Some(CrossEncoder::open(
        &runtime(&root),
        &minilm_dir(&root),
    )?))
}

fn word_piece() -> Result<Option<WordPiece>> {
    let Some(root) = assets("models/all-minilm-l6-v2/tokenizer.json") else {
        return Ok(None);
    };
    Ok(Some(WordPiece::open(&minilm_dir(&root))?))
}

fn potion() -> Result<Option<StaticModel>> {
    let Some(root) = assets("models/potion-base-8m/model.safetensors") else {
        return Ok(None);
    };
    Ok(Some(StaticModel::open(
        &root.join("models/potion-base-8m"),
    )?))
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn assert_unit(vector: &[f32], dimensions: usize) {
    assert_eq!(vector.len(), dimensions);
    assert!(
        (dot(vector, vector) - 1.0).abs() < 1e-4,
        "squared length {}",
        dot(vector, vector)
    );
}

#[test]
fn minilm_writes_unit_vectors_of_384_dimensions() -> Result<()> {
    let Some(mut model) = minilm()? else {
        return Ok(());
    };
    let vectors = model.embed(&GOALS)?;
    assert_eq!(vectors.len(), GOALS.len());
    vectors
        .iter()
        .for_each(|vector| assert_unit(vector, model.dimensions()));
    assert_unit(&model.embed(&[""])?.concat(), 384);
    Ok(())
}

/// 1e-4 is ten times what the order of fp32 sums explains here, and a hundredth of what a dynamically quantised model
/// shows.
#[test]
fn a_batch_of_n_equals_n_singles() -> Result<()> {
    let Some(mut model) = minilm()? else {
        return Ok(());
    };
    // More than one batch of the session, so that splitting is covered as well.
    let texts: Vec<&str> = GOALS.iter().copied().cycle().take(70).collect();
    let batch = model.embed(&texts)?;
    assert_eq!(batch.len(), texts.len());
    let mut worst = 0.0_f32;
    for (text, from_batch) in texts.iter().zip(&batch) {
        let single = model.embed(&[text])?.concat();
        worst = single
            .iter()
            .zip(from_batch)
            .map(|(a, b)| (a - b).abs())
            .fold(worst, f32::max);
    }
    assert!(worst < 1e-4, "largest difference {worst}");
    Ok(())
}

#[test]
fn a_rewording_is_closer_than_another_goal() -> Result<()> {
    let Some(mut model) = minilm()? else {
        return Ok(());
    };
    let vectors = model.embed(&GOALS)?;
    let similarity = |a: usize, b: usize| -> Result<f32> {
        Ok(dot(
            vectors.get(a).context("no vector")?,
            vectors.get(b).context("no vector")?,
        ))
    };
    let (reworded, other) = (similarity(0, 1)?, similarity(0, 2)?);
    assert!(reworded > 0.8, "reworded goal: {reworded}");
    assert!(other < 0.3, "unrelated goal: {other}");
    Ok(())
}

#[test]
fn a_text_beyond_the_limit_is_truncated_and_counted() -> Result<()> {
    let (Some(mut model), Some(tokenizer)) = (minilm()?, word_piece()?) else {
        return Ok(());
    };
    let limit = tokenizer.limit();
    let (full, over) = ("goal ".repeat(limit), "goal ".repeat(limit + 1));
    assert_eq!(
        (tokenizer.count(&full), tokenizer.count(&over)),
        (limit, limit + 1)
    );
    assert!(!tokenizer.exceeds_limit(&full));
    assert!(tokenizer.exceeds_limit(&over));
    // The limit is where the model stops reading: below it another word changes the vector, beyond it nothing does.
    let vectors = model.embed(&[
        &full,
        &over,
        &format!("{full} marathon"),
        &"goal ".repeat(limit - 1),
    ])?;
    let [full, over, marathon, under] = vectors.as_slice() else {
        anyhow::bail!("four vectors expected")
    };
    assert!(dot(full, over) > 0.999_99 && dot(full, marathon) > 0.999_99);
    assert!(full.iter().zip(under).any(|(a, b)| (a - b).abs() > 1e-4));
    Ok(())
}

#[test]
fn tokens_are_counted_without_special_ones() -> Result<()> {
    let Some(tokenizer) = word_piece()? else {
        return Ok(());
    };
    for (text, count) in [
        ("", 0),
        ("hello", 1),
        ("Hello, world!", 4),
        ("tokenization", 2),
        ("  \n ", 0),
    ] {
        assert_eq!(tokenizer.count(text), count, "{text:?}");
    }
    assert_eq!(tokenizer.limit(), 254);
    assert!(tokenizer.exceeds_limit(&" ".repeat(1 << 20)));
    Ok(())
}

#[test]
fn the_static_model_writes_unit_vectors_that_reject_unrelated_goals() -> Result<()> {
    let Some(model) = potion()? else {
        return Ok(());
    };
    let [spanish, reworded, marathon, ..] = GOALS.map(|goal| model.embed(goal));
    assert_eq!(model.dimensions(), 256);
    assert_unit(&spanish, 256);
    assert_unit(&reworded, 256);
    assert!(
        dot(&spanish, &reworded) > 0.5,
        "reworded goal: {}",
        dot(&spanish, &reworded)
    );
    assert!(
        dot(&spanish, &marathon) < 0.22,
        "unrelated goal: {}",
        dot(&spanish, &marathon)
    );
    Ok(())
}

#[test]
fn the_static_model_is_shared_by_threads() -> Result<()> {
    let Some(model) = potion()? else {
        return Ok(());
    };
    let (model, expected) = (Arc::new(model), "learn to cook");
    let alone = model.embed(expected);
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let model = Arc::clone(&model);
            std::thread::spawn(move || model.embed(expected))
        })
        .collect();
    for thread in threads {
        assert!(thread.join().is_ok_and(|vector| vector == alone));
    }
    Ok(())
}

#[test]
fn a_text_without_known_tokens_is_similar_to_nothing() -> Result<()> {
    let Some(model) = potion()? else {
        return Ok(());
    };
    assert!(model.embed("").iter().all(|&value| value == 0.0));
    Ok(())
}

#[test]
fn a_folder_without_a_model_is_an_error_that_names_the_file() -> Result<()> {
    let dir = tempfile::tempdir()?;
    for error in [
        StaticModel::open(dir.path()).err(),
        WordPiece::open(dir.path()).err(),
    ] {
        let error = error.context("an empty folder was loaded")?;
        ensure!(error.to_string().contains("tokenizer.json"), "{error}");
    }
    for name in ["tokenizer.json", "model.safetensors", "config.json"] {
        std::fs::write(dir.path().join(name), "not a model")?;
    }
    assert!(matches!(
        StaticModel::open(dir.path()),
        Err(Error::Model { .. })
    ));
    assert!(matches!(
        WordPiece::open(dir.path()),
        Err(Error::Model { .. })
    ));
    Ok(())
}

#[test]
fn a_damaged_onnx_file_is_an_error_that_names_the_folder() -> Result<()> {
    let Some(root) = assets("models/all-minilm-l6-v2/model.onnx") else {
        return Ok(());
    };
    let dir = tempfile::tempdir()?;
    for name in [
        "tokenizer.json",
        "config.json",
        "special_tokens_map.json",
        "tokenizer_config.json",
    ] {
        std::fs::copy(minilm_dir(&root).join(name), dir.path().join(name))?;
    }
    std::fs::write(dir.path().join("model.onnx"), "not a model")?;
    let error = MiniLm::open(&runtime(&root), dir.path())
        .err()
        .context("a text file was loaded")?;
    ensure!(matches!(error, Error::Model { .. }), "{error}");
    ensure!(
        error
            .to_string()
            .contains(&dir.path().display().to_string()),
        "{error}"
    );
    Ok(())
}

#[test]
fn a_second_runtime_is_refused_with_both_names() -> Result<()> {
    let Some(root) = assets("models/all-minilm-l6-v2/model.onnx") else {
        return Ok(());
    };
    let _first = minilm()?;
    let other = runtime(&root).with_file_name("other.so");
    let error = MiniLm::open(&other, &minilm_dir(&root))
        .err()
        .context("two runtimes were loaded")?;
    ensure!(
        matches!(error, Error::RuntimeAlreadyLoaded { .. }),
        "{error}"
    );
    Ok(())
}

#[tokio::test]
async fn a_pool_of_the_real_model_is_warm_when_it_is_ready() -> Result<()> {
    let Some(root) = assets("models/all-minilm-l6-v2/model.onnx") else {
        return Ok(());
    };
    let pool: Pool = Pool::start(
        PoolOptions {
            threads: 2,
            queue: 8,
        },
        move || {
            let model = MiniLm::open(&runtime(&root), &minilm_dir(&root))?;
            Ok(Box::new(model) as Box<dyn Embedder>)
        },
    );
    pool.ready().await?;
    let id = pool
        .model()
        .context("a ready pool knows its model")?
        .to_string();
    ensure!(id.starts_with("all-minilm-l6-v2@"), "{id}");
    let texts = GOALS.map(str::to_owned).to_vec();
    let vectors = pool.embed(texts, Duration::from_secs(60)).await?;
    vectors.iter().for_each(|vector| assert_unit(vector, 384));
    Ok(())
}

/// Written for this test; none of them is in the training data.
#[test]
fn the_same_answer_model_tells_other_words_from_another_request() -> Result<()> {
    let Some(mut model) = cross_encoder()? else {
        return Ok(());
    };
    let asked = "How do I get candle wax out of a woollen rug?";
    for other in [
        "what's the best way to remove candle wax from a wool carpet",
        "There is candle wax on my woollen rug, how can I get it off?",
    ] {
        let confidence = model.compare(asked, other)?;
        ensure!(confidence > 0.5, "{other}: {confidence}");
    }
    for other in [
        "How do I get red wine out of a woollen rug?",
        "How do I make candle wax from wool fat?",
        "How much does it cost to have a woollen rug cleaned?",
        "Why does candle wax melt?",
    ] {
        let confidence = model.compare(asked, other)?;
        ensure!(confidence < 0.5, "{other}: {confidence}");
    }
    Ok(())
}

#[test]
fn a_confidence_does_not_depend_on_what_was_judged_before() -> Result<()> {
    let Some(mut model) = cross_encoder()? else {
        return Ok(());
    };
    let first = model.compare(GOALS[0], GOALS[1])?;
    model.compare(GOALS[5], GOALS[2])?;
    ensure!(model.compare(GOALS[0], GOALS[1])?.to_bits() == first.to_bits());
    Ok(())
}

#[test]
fn requests_too_long_for_the_model_are_never_the_same() -> Result<()> {
    let Some(mut model) = cross_encoder()? else {
        return Ok(());
    };
    let long = "learn Spanish ".repeat(40);
    ensure!(model.compare(&long, &long)? == 0.0);
    Ok(())
}

#[test]
fn the_compiled_in_weights_are_those_of_the_checksum() -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("same-answer");
    let weights = std::fs::read(folder.join("model.onnx"))?;
    let stated = std::fs::read_to_string(folder.join("model.onnx.blake3"))?;
    let digest = blake3::hash(&weights).to_hex();
    ensure!(
        stated.split_whitespace().next() == Some(digest.as_str()),
        "{digest}"
    );
    Ok(())
}
