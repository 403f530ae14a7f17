//! Adds a template file to a folder: checked against all that is loaded, then written in one step.
//!
//! A file that has a problem is never written, so that the folder always loads.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::library::{self, Library, Source};
use super::lint;
use super::parse::Template;
use super::problem::Problem;

/// Why a template is not added.
#[derive(Debug, thiserror::Error)]
pub enum AddError {
    /// The file, or the folder it would join, has problems.
    #[error("the template has {} problems", .0.len())]
    Problems(Vec<Problem>),
    /// Another template has its id.
    #[error("a template with the id `{id}` is {place} already")]
    Exists {
        /// The id.
        id: String,
        /// "compiled in", or where its file stands.
        place: String,
    },
    /// The file cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// A template that may be added, with the library as it will be.
#[derive(Debug)]
pub struct Addition {
    file: AddedFile,
    library: Library,
}

/// The file of a checked template, not yet written.
#[derive(Debug)]
pub struct AddedFile {
    /// The template's id.
    pub id: String,
    /// Its category.
    pub category: String,
    /// Whether it takes the place of another.
    pub replaces: bool,
    name: String,
    text: String,
    /// The file of the folder whose place it takes, if that stands elsewhere.
    outdated: Option<String>,
}

impl Addition {
    /// Checks a template against the compiled-in ones and those of a folder, which need not exist yet.
    ///
    /// With `replace` it may take the place of one with its id.
    /// Cost: parses the whole library and lints the one, up to a second; not for an event loop.
    ///
    /// # Errors
    /// [`AddError::Problems`] with every problem of the file, [`AddError::Exists`].
    pub fn check(dir: &Path, text: &str, replace: bool) -> Result<Self, AddError> {
        let template = Template::parse("the file", text).map_err(AddError::Problems)?;
        let name = format!("{}/{}.toml", template.category, template.id);
        let mut own: Vec<(String, Template)> = Vec::new();
        let sources = if dir.exists() {
            library::read_dir(dir).map_err(AddError::Problems)?
        } else {
            Vec::new()
        };
        for source in sources {
            let parsed = Template::parse(&source.name, &source.text).map_err(AddError::Problems)?;
            own.push((source.name, parsed));
        }
        let (compiled_in, _) = library::parse_all(&library::builtin_sources());
        // A draft answers nothing, so it is in nobody's way.
        let in_folder = own
            .iter()
            .find(|(_, other)| other.id == template.id && !other.is_draft());
        let built_in = compiled_in.iter().any(|other| other.id == template.id);
        if let Some(place) = in_folder
            .map(|(name, _)| format!("in {name}"))
            .or_else(|| built_in.then(|| "compiled in".to_owned()))
            && !replace
        {
            return Err(AddError::Exists {
                id: template.id,
                place,
            });
        }
        if own
            .iter()
            .any(|(other, held)| *other == name && held.id != template.id)
        {
            return Err(AddError::Problems(vec![Problem::new(
                &template.id,
                "id",
                format!("{name} holds another template"),
                "choose another id",
            )]));
        }
        let replaces = in_folder.is_some() || built_in;
        let outdated = in_folder
            .map(|(old, _)| old.clone())
            .filter(|old| *old != name);
        let stays = |other: &Template| other.id != template.id;
        let kept = compiled_in
            .into_iter()
            .filter(|old| stays(old) && own.iter().all(|(_, new)| new.id != old.id));
        let templates = kept
            .chain(own.iter().map(|(_, own)| own.clone()).filter(stays))
            .chain([template.clone()])
            .collect();
        let library = Library::compile(templates).map_err(AddError::Problems)?;
        let mut problems = lint::lint_template(&library, &template.id);
        if template.is_draft() {
            problems.extend(lint::drafts(&[Source {
                name: name.clone(),
                text: text.to_owned(),
            }]));
        }
        if !problems.is_empty() {
            return Err(AddError::Problems(problems));
        }
        Ok(Self {
            file: AddedFile {
                replaces,
                id: template.id,
                category: template.category,
                name,
                text: text.to_owned(),
                outdated,
            },
            library,
        })
    }

    /// Returns the file to write and the library with it.
    pub fn into_parts(self) -> (AddedFile, Library) {
        (self.file, self.library)
    }
}

impl AddedFile {
    /// Writes the file: whole or not at all. Returns its path.
    ///
    /// # Errors
    /// [`AddError::Write`].
    pub fn write(&self, dir: &Path) -> Result<PathBuf, AddError> {
        let path = dir.join(&self.name);
        write_whole(&path, &self.text).map_err(|source| AddError::Write {
            path: path.clone(),
            source,
        })?;
        if let Some(old) = &self.outdated {
            let old = dir.join(old);
            std::fs::remove_file(&old).map_err(|source| AddError::Write { path: old, source })?;
        }
        Ok(path)
    }
}

/// Writes beside the file first, so that no reader and no crash sees half of it.
fn write_whole(path: &Path, text: &str) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let beside = path.with_extension("toml.new");
    let mut file = std::fs::File::create(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAVE: &str = include_str!("fixtures/money/save.toml");

    #[test]
    fn a_good_template_is_written_where_it_belongs_and_loads()
    -> Result<(), Box<dyn std::error::Error>> {
        let dir = tempfile::tempdir()?;
        let text = SAVE
            .replace("sav", "stash")
            .replace("id = \"stashe\"", "id = \"stash\"");
        let addition = match Addition::check(dir.path(), &text, false) {
            Ok(addition) => addition,
            Err(AddError::Problems(problems)) => return Err(format!("{problems:?}").into()),
            Err(error) => return Err(error.into()),
        };
        let (file, _) = addition.into_parts();
        assert!(!file.replaces);
        let path = file.write(dir.path())?;
        assert_eq!(path, dir.path().join("money/stash.toml"));
        let again = Addition::check(dir.path(), &text, false);
        assert!(matches!(again, Err(AddError::Exists { .. })));
        let library = Library::load(Some(dir.path())).map_err(|p| format!("{p:?}"))?;
        assert!(library.templates().any(|t| t.id() == "stash"));
        assert!(
            Addition::check(dir.path(), &text, true)?
                .into_parts()
                .0
                .replaces
        );
        Ok(())
    }

    #[test]
    fn a_template_with_a_problem_is_not_added() -> Result<(), Box<dyn std::error::Error>> {
        let dir = tempfile::tempdir()?;
        for text in ["", "id = 3", &SAVE.replace("{amount}", "{amont}")] {
            let refused = Addition::check(dir.path(), text, false);
            assert!(matches!(refused, Err(AddError::Problems(problems)) if !problems.is_empty()));
        }
        assert!(std::fs::read_dir(dir.path())?.next().is_none());
        Ok(())
    }
}
