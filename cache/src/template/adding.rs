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
    /// Cost: a lint of the whole library, up to seconds; not for an event loop.
    ///
    /// # Errors
    /// [`AddError::Problems`] with every problem of the file, [`AddError::Exists`].
    pub fn check(dir: &Path, text: &str, replace: bool) -> Result<Self, AddError> {
        let template = Template::parse("the file", text).map_err(AddError::Problems)?;
        let name = format!("{}/{}.toml", template.category, template.id);
        let own = if dir.exists() {
            library::read_dir(dir).map_err(AddError::Problems)?
        } else {
            Vec::new()
        };
        let has_id = |source: &Source| {
            Template::parse(&source.name, &source.text).is_ok_and(|other| other.id == template.id)
        };
        let in_folder = own.iter().find(|source| has_id(source));
        let compiled_in = library::builtin_sources().iter().any(has_id);
        if let Some(place) = in_folder
            .map(|source| format!("in {}", source.name))
            .or_else(|| compiled_in.then(|| "compiled in".to_owned()))
            && !replace
        {
            return Err(AddError::Exists {
                id: template.id,
                place,
            });
        }
        let taken = own
            .iter()
            .find(|source| source.name == name && !has_id(source));
        if let Some(other) = taken {
            return Err(AddError::Problems(vec![Problem::new(
                &template.id,
                "id",
                format!("{} holds another template", other.name),
                "choose another id",
            )]));
        }
        let outdated = in_folder
            .map(|source| source.name.clone())
            .filter(|old| *old != name);
        let new = Source {
            name: name.clone(),
            text: text.to_owned(),
        };
        let sources: Vec<Source> = library::builtin_sources()
            .into_iter()
            .filter(|source| {
                let replaced_by = |added: &Source| {
                    let id = |s: &Source| Template::parse(&s.name, &s.text).map(|t| t.id).ok();
                    id(added).is_some() && id(added) == id(source)
                };
                !has_id(source) && !own.iter().any(replaced_by)
            })
            .chain(own.iter().filter(|source| !has_id(source)).cloned())
            .chain([new])
            .collect();
        let library = Library::from_sources(&sources).map_err(AddError::Problems)?;
        let problems: Vec<Problem> = lint::lint_library(&library)
            .into_iter()
            .chain(lint::drafts(&sources))
            .filter(|problem| problem.template == template.id || problem.template == name)
            .collect();
        if !problems.is_empty() {
            return Err(AddError::Problems(problems));
        }
        Ok(Self {
            file: AddedFile {
                replaces: in_folder.is_some() || compiled_in,
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
