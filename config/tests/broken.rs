//! What a user is told about broken configurations, word for word and line by line.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use tollfree_config::env::Environment;
use tollfree_config::{Config, Invalid, Overrides};

/// Ends each line of a broken file on which a problem has to be reported.
const MARK: &str = "# <-";

/// Stands wherever a broken file holds a key in a wrong place.
const MISPLACED_KEY: &str = "in-the-wrong-place";

fn environment() -> Environment {
    Environment::from_map([
        ("HOME", "/home/user"),
        ("SET_KEY", "sk-test"),
        ("EMPTY_KEY", " "),
        ("TWO_LINE_KEY", "sk-in-the-wrong-place\nsk-two"),
    ])
}

fn load(path: &Path) -> Result<Invalid> {
    let loaded = Config::load(Some(path), &Overrides::default(), &environment());
    loaded
        .err()
        .with_context(|| format!("{} was accepted", path.display()))
}

/// The broken files, relative to the folder of the crate, where tests run.
fn broken_files() -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir("tests/broken")?.collect::<Result<Vec<_>, _>>()?;
    let mut files: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
    files.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "toml")
    });
    files.sort();
    ensure!(
        files.len() >= 18,
        "only {} broken files were found",
        files.len()
    );
    Ok(files)
}

#[test]
fn every_broken_file_says_what_is_wrong_where_and_what_to_do() -> Result<()> {
    for path in broken_files()? {
        let name = path
            .file_stem()
            .context("a file without a name")?
            .to_string_lossy()
            .into_owned();
        insta::assert_snapshot!(name, load(&path)?.to_string());
    }
    Ok(())
}

#[test]
fn problems_are_reported_on_exactly_the_marked_lines() -> Result<()> {
    for path in broken_files()? {
        let text = fs::read_to_string(&path)?;
        let marked = text
            .lines()
            .enumerate()
            .filter(|(_, line)| line.ends_with(MARK))
            .map(|(index, _)| index + 1);
        let marked: BTreeSet<usize> = marked.collect();
        let reported: BTreeSet<usize> = load(&path)?
            .problems
            .iter()
            .filter_map(|problem| problem.line)
            .collect();
        ensure!(!marked.is_empty(), "{} marks no line", path.display());
        ensure!(
            marked == reported,
            "{}: marked {marked:?}, reported {reported:?}",
            path.display()
        );
    }
    Ok(())
}

#[test]
fn no_problem_repeats_a_key_that_stands_in_a_wrong_place() -> Result<()> {
    let mut holding = 0;
    for path in broken_files()? {
        holding += fs::read_to_string(&path)?.matches(MISPLACED_KEY).count();
        let invalid = load(&path)?;
        ensure!(
            !format!("{invalid} {invalid:?}").contains(MISPLACED_KEY),
            "{} shows a key",
            path.display()
        );
    }
    ensure!(
        holding >= 3,
        "the broken files hold no key in a wrong place"
    );
    Ok(())
}

#[test]
fn a_file_that_cannot_be_read_is_one_problem() -> Result<()> {
    insta::assert_snapshot!(
        "no_file",
        load(Path::new("tests/broken/missing/tollfree.toml"))?
    );
    insta::assert_snapshot!("a_folder", load(Path::new("tests/broken"))?);

    let folder = tempfile::tempdir()?;
    let file = folder.path().join("tollfree.toml");
    fs::write(&file, b"[log]\nlevel = \"\xff\"\n")?;
    let shown = load(&file)?
        .to_string()
        .replace(&folder.path().display().to_string(), "");
    insta::assert_snapshot!("not_utf_8", shown);
    Ok(())
}

#[test]
fn problems_of_flags_and_variables_name_the_flag_or_variable() -> Result<()> {
    let overrides = Overrides {
        listen: Some("8080".to_owned()),
        ..Overrides::default()
    };
    let environment = Environment::from_map([
        ("HOME", "/home/user"),
        ("TOLLFREE_LISTEN", "ignored, since the flag wins"),
        ("TOLLFREE_ADMIN_LISTEN", "0.0.0.0:9090"),
        ("TOLLFREE_LOG", "tollfree=loud"),
        ("GEMINI_API_KEY", "two words"),
    ]);
    let invalid = Config::load(None, &overrides, &environment)
        .err()
        .context("it was accepted")?;
    insta::assert_snapshot!("flags_and_variables", invalid);
    Ok(())
}

#[test]
fn without_a_home_the_folder_of_the_models_has_to_be_named() -> Result<()> {
    let nothing = Environment::from_map::<String, String>([]);
    let invalid = Config::load(None, &Overrides::default(), &nothing)
        .err()
        .context("it was accepted")?;
    insta::assert_snapshot!("no_home", invalid);
    Ok(())
}
