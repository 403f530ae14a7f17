//! Behaviour of the library as a whole, on three small templates.

mod lint;
mod mask;
mod matching;
mod rate;
mod reading;
mod render;
mod slots;

use super::{Library, PhrasingVectors, Source};
use crate::goal::Goal;

const FIXTURES: [(&str, &str); 3] = [
    (
        "languages/speak.toml",
        include_str!("fixtures/languages/speak.toml"),
    ),
    (
        "fitness/race.toml",
        include_str!("fixtures/fitness/race.toml"),
    ),
    ("money/save.toml", include_str!("fixtures/money/save.toml")),
];

fn sources() -> Vec<Source> {
    FIXTURES
        .map(|(name, text)| Source {
            name: name.to_owned(),
            text: text.to_owned(),
        })
        .to_vec()
}

fn library() -> Library {
    match Library::from_sources(&sources()) {
        Ok(library) => library,
        Err(problems) => unreachable!("the fixtures are good: {problems:?}"),
    }
}

/// The place of a template by its id.
fn index(library: &Library, id: &str) -> usize {
    library
        .templates()
        .position(|template| template.id() == id)
        .unwrap_or(usize::MAX)
}

const DIMENSIONS: usize = 64;

/// A stand-in for the embedder: each word adds to one of 64 directions.
fn embed(text: &str) -> Vec<f32> {
    let mut vector = vec![0.0f32; DIMENSIONS];
    for word in text.split_whitespace() {
        let hash = word.bytes().fold(5381usize, |hash, byte| {
            hash.wrapping_mul(33) ^ usize::from(byte)
        });
        if let Some(place) = vector.get_mut(hash % DIMENSIONS) {
            *place += 1.0;
        }
    }
    let length = vector
        .iter()
        .map(|x| x * x)
        .sum::<f32>()
        .sqrt()
        .max(f32::MIN_POSITIVE);
    vector.into_iter().map(|x| x / length).collect()
}

fn vectors(library: &Library) -> PhrasingVectors {
    let vectors: Vec<Vec<f32>> = library
        .phrasings()
        .iter()
        .map(|phrasing| embed(&phrasing.masked))
        .collect();
    match PhrasingVectors::new(DIMENSIONS, &vectors) {
        Ok(vectors) => vectors,
        Err(error) => unreachable!("all have {DIMENSIONS} dimensions: {error}"),
    }
}

#[test]
fn a_library_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Library>();
    shared::<super::Shape>();
}

#[test]
fn the_templates_compiled_in_load() {
    assert!(
        Library::load_builtin().is_ok(),
        "{:?}",
        Library::load_builtin().err()
    );
}

#[test]
fn a_template_of_a_folder_replaces_the_one_with_the_same_id() -> std::io::Result<()> {
    let dir = tempfile::tempdir()?;
    std::fs::create_dir_all(dir.path().join("languages"))?;
    for (name, text) in FIXTURES.iter().take(1) {
        std::fs::write(dir.path().join(name), text)?;
    }
    std::fs::write(dir.path().join("notes.txt"), "not a template")?;
    let library = Library::load(Some(dir.path()));
    let ids: Vec<String> = library
        .iter()
        .flat_map(Library::templates)
        .map(|t| t.id().to_owned())
        .collect();
    assert_eq!(ids.iter().filter(|id| *id == "speak").count(), 1);
    let alone = Library::load_dir(dir.path());
    assert_eq!(
        alone
            .map(|library| library.templates().len())
            .unwrap_or_default(),
        1
    );
    Ok(())
}

#[test]
fn a_folder_that_is_not_there_is_a_problem_and_two_equal_ids_are_one() {
    let missing = Library::load_dir(std::path::Path::new("no/such/folder"))
        .err()
        .unwrap_or_default();
    assert_eq!(missing.len(), 1);
    let twice: Vec<Source> = sources()
        .into_iter()
        .chain(sources().into_iter().take(1))
        .collect();
    let problems = Library::from_sources(&twice).err().unwrap_or_default();
    assert_eq!(
        problems
            .iter()
            .map(|p| p.field.as_str())
            .collect::<Vec<_>>(),
        ["id"]
    );
}

#[test]
fn phrasings_that_mask_alike_are_embedded_once() {
    let library = library();
    let speak = index(&library, "speak");
    let masked: Vec<&str> = library
        .phrasings()
        .iter()
        .filter(|p| p.template == speak)
        .map(|p| p.masked.as_str())
        .collect();
    assert!(masked.contains(&"learn a language"), "{masked:?}");
    let mut unique = masked.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), masked.len());
    assert!(masked.len() < 8, "{masked:?}");
}

#[test]
fn vectors_of_unequal_length_are_refused() {
    assert!(PhrasingVectors::new(2, &[vec![1.0, 0.0], vec![1.0]]).is_err());
    assert!(PhrasingVectors::new(2, &[]).is_ok_and(|vectors| vectors.is_empty()));
}

#[test]
fn similarities_are_cosines_of_unit_vectors() -> Result<(), super::vectors::DimensionError> {
    let texts = [
        "learn a language",
        "run a race",
        "learn a language fast and well in the evening hours",
    ];
    let vectors = PhrasingVectors::new(DIMENSIONS, &texts.map(embed))?;
    let wanted = embed("learn a language");
    let found: Vec<f32> = vectors.similarities(&wanted).collect();
    for (text, similarity) in texts.iter().zip(found) {
        let expected: f32 = embed(text).iter().zip(&wanted).map(|(a, b)| a * b).sum();
        assert!(
            (similarity - expected).abs() < 1e-6,
            "{text}: {similarity} and {expected}"
        );
    }
    Ok(())
}

/// Analyses and fits in one step, for tables.
fn fit(library: &Library, id: &str, goal: &str) -> Result<Vec<String>, String> {
    match library.fit(index(library, id), &Goal::analyse(goal)) {
        Ok(slots) => Ok(slots
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect()),
        Err(misfit) => Err(misfit.refusal.as_str().to_owned()),
    }
}
