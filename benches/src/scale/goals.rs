//! The goals that everything is made from: those of a file, the templates' phrasings with their slots filled, and
//! combinations of activities and things.

use std::{
    fs,
    io::{BufReader, BufWriter, Read, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use tollfree_cache::template::library::Library;
use tollfree_embedder::{Embedder, minilm::MiniLm};

use crate::embedding::read_texts;

/// Texts embedded in one call.
const BATCH: usize = 32;

const DURATIONS: [&str; 8] = [
    "2 weeks",
    "30 days",
    "6 weeks",
    "2 months",
    "3 months",
    "half a year",
    "one year",
    "100 days",
];
const LANGUAGES: [&str; 8] = [
    "Spanish",
    "French",
    "German",
    "Italian",
    "Japanese",
    "Korean",
    "Arabic",
    "Portuguese",
];
const INSTRUMENTS: [&str; 6] = ["guitar", "piano", "violin", "drums", "cello", "ukulele"];
const AMOUNTS: [&str; 6] = [
    "500 dollars",
    "$1,000",
    "2,000 euros",
    "5 kg",
    "10 kg",
    "20 pounds",
];

const VERBS: [&str; 16] = [
    "build",
    "paint",
    "repair",
    "choose",
    "clean",
    "sell",
    "design",
    "organise",
    "photograph",
    "restore",
    "insulate",
    "plan",
    "write about",
    "learn to make",
    "find an affordable",
    "take better care of",
];
const THINGS: [&str; 40] = [
    "a bookshelf",
    "a greenhouse",
    "a bicycle",
    "my kitchen",
    "a website",
    "a wooden boat",
    "a garden shed",
    "a piano",
    "an old car",
    "my wardrobe",
    "a chicken coop",
    "a birthday party",
    "a small café",
    "a family tree",
    "a podcast",
    "a board game",
    "a resume",
    "a stone wall",
    "my home office",
    "a treehouse",
    "a wedding cake",
    "a short film",
    "a vegetable garden",
    "a fish pond",
    "a mobile app",
    "a choir",
    "a book club",
    "an aquarium",
    "a camper van",
    "a photo album",
    "a leather bag",
    "a ceramic vase",
    "a marathon team",
    "my finances",
    "a rooftop terrace",
    "a science project",
    "a charity run",
    "a language school",
    "a beehive",
    "a quilt",
];
const CIRCUMSTANCES: [&str; 16] = [
    "",
    "at home",
    "on a small budget",
    "before the summer",
    "with my children",
    "in a small flat",
    "without any tools",
    "as a beginner",
    "in a weekend",
    "after work",
    "with a friend",
    "for my parents",
    "in winter",
    "at the age of 60",
    "without experience",
    "in the countryside",
];

/// Returns up to `limit` goals, no two the same: those of the files first, then those of the templates, then made ones.
///
/// # Errors
/// When a file cannot be read or the templates that are compiled in cannot be loaded.
pub fn collect(files: &[PathBuf], limit: usize) -> Result<Vec<String>> {
    let mut goals = Vec::new();
    for file in files {
        goals.extend(read_texts(file)?);
    }
    goals.extend(of_templates()?);
    goals.extend(made());
    let mut seen = std::collections::HashSet::new();
    goals.retain(|goal| seen.insert(goal.clone()));
    goals.truncate(limit);
    Ok(goals)
}

/// The phrasings of the library with every slot filled in several ways.
fn of_templates() -> Result<Vec<String>> {
    let library = Library::load_builtin().map_err(|problems| {
        anyhow::anyhow!("{} problems in the built-in templates", problems.len())
    })?;
    let mut goals = Vec::new();
    for phrasing in library.phrasings() {
        for round in 0..8 {
            let mut goal = phrasing.text.clone();
            for (slot, values) in [
                ("{duration}", DURATIONS.as_slice()),
                ("{language}", &LANGUAGES),
                ("{instrument}", &INSTRUMENTS),
                ("{amount}", &AMOUNTS),
                ("{weight}", &AMOUNTS),
            ] {
                let value = values
                    .get(round % values.len())
                    .copied()
                    .unwrap_or_default();
                goal = goal.replace(slot, value);
            }
            goals.push(goal.replace(['{', '}'], ""));
        }
    }
    Ok(goals)
}

fn made() -> impl Iterator<Item = String> {
    VERBS.iter().flat_map(|verb| {
        THINGS.iter().flat_map(move |thing| {
            CIRCUMSTANCES
                .iter()
                .map(move |circumstance| format!("{verb} {thing} {circumstance}").trim().to_owned())
        })
    })
}

/// Embeds goals, or reads what an earlier run kept in `kept`.
///
/// # Errors
/// When the model cannot be loaded or run, or the file cannot be read or written.
pub fn embed(
    goals: &[String],
    kept: &Path,
    runtime: &Path,
    model_dir: &Path,
) -> Result<Vec<Vec<f32>>> {
    let digest = digest(goals);
    if let Some(vectors) = read(kept, digest, goals.len())? {
        return Ok(vectors);
    }
    let mut model = MiniLm::open(runtime, model_dir)?;
    let mut vectors = Vec::with_capacity(goals.len());
    for batch in goals.chunks(BATCH) {
        let texts: Vec<&str> = batch.iter().map(String::as_str).collect();
        vectors.extend(model.embed(&texts)?);
    }
    let create = || -> std::io::Result<()> {
        let mut file = BufWriter::new(fs::File::create(kept)?);
        file.write_all(&digest.to_le_bytes())?;
        for value in vectors.iter().flatten() {
            file.write_all(&value.to_le_bytes())?;
        }
        file.flush()
    };
    create().with_context(|| format!("cannot write {}", kept.display()))?;
    Ok(vectors)
}

/// Reads row by row: memory that is used once and freed would be counted as free room for what is measured later.
fn read(kept: &Path, digest: u64, goals: usize) -> Result<Option<Vec<Vec<f32>>>> {
    let Ok(file) = fs::File::open(kept) else {
        return Ok(None);
    };
    let values = (file.metadata()?.len() as usize).saturating_sub(8) / 4;
    let mut file = BufReader::new(file);
    let mut head = [0; 8];
    if goals == 0 || file.read_exact(&mut head).is_err() || u64::from_le_bytes(head) != digest {
        return Ok(None);
    }
    ensure!(
        values.is_multiple_of(goals),
        "{} is cut off",
        kept.display()
    );
    let mut vectors = Vec::with_capacity(goals);
    for _ in 0..goals {
        let mut vector = Vec::with_capacity(values / goals);
        for _ in 0..values / goals {
            let mut value = [0; 4];
            file.read_exact(&mut value)?;
            vector.push(f32::from_le_bytes(value));
        }
        vectors.push(vector);
    }
    Ok(Some(vectors))
}

/// FNV-1a over the texts: tells one list of goals from another.
fn digest(goals: &[String]) -> u64 {
    goals
        .iter()
        .flat_map(|goal| goal.bytes().chain([0]))
        .fold(0xcbf2_9ce4_8422_2325, |digest, byte| {
            (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goals_are_all_different_and_have_no_open_slots() -> Result<()> {
        let goals = collect(&[], 20_000)?;
        assert!(goals.len() > 10_000, "{}", goals.len());
        let different: std::collections::HashSet<&String> = goals.iter().collect();
        assert_eq!(different.len(), goals.len());
        assert!(goals.iter().all(|goal| !goal.contains(['{', '}'])));
        Ok(())
    }

    #[test]
    fn kept_vectors_are_those_of_the_same_goals_only() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let kept = folder.path().join("kept");
        let goals = vec!["a".to_owned(), "b".to_owned()];
        let mut bytes = digest(&goals).to_le_bytes().to_vec();
        bytes.extend(
            [1.0_f32, 2.0, 3.0, 4.0]
                .iter()
                .flat_map(|value| value.to_le_bytes()),
        );
        fs::write(&kept, bytes)?;
        assert_eq!(
            read(&kept, digest(&goals), 2)?,
            Some(vec![vec![1.0, 2.0], vec![3.0, 4.0]])
        );
        assert_eq!(read(&kept, digest(&["a".to_owned()]), 1)?, None);
        Ok(())
    }
}
