//! The loaded templates: their phrasings for the embedder, and the answer to a goal.

use std::collections::BTreeMap;
use std::path::Path;

use super::engine::Engine;
use super::mask::{self, Lexicon};
use super::matching::{self, Misfit, Profile, Refusal};
use super::parse::Template;
use super::plan::{CompiledPlan, Plan};
use super::problem::Problem;
use super::remarks;
use super::shape::Shape;
use super::slots::{self, Extraction, SlotKind, Slots};
use super::vectors::PhrasingVectors;
use crate::goal::Goal;

include!(concat!(env!("OUT_DIR"), "/builtin_templates.rs"));

/// How many templates, by similarity, are looked at for one goal beside those that fit it.
const MAX_CANDIDATES: usize = 8;

/// A template file: where it comes from and its TOML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its path below the templates folder.
    pub name: String,
    /// Its content.
    pub text: String,
}

/// One way to say a template's goal, as it is embedded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phrasing {
    /// The place of its template in [`Library::templates`].
    pub template: usize,
    /// The phrasing with its `{slots}`.
    pub text: String,
    /// The text to embed: filled and masked like a goal.
    pub masked: String,
}

/// A template that answers a goal.
#[derive(Debug, Clone)]
pub struct Hit {
    /// The template.
    pub template_id: String,
    /// Its most similar phrasing.
    pub phrasing: String,
    /// The cosine of goal and phrasing, both masked.
    pub similarity: f32,
    /// The slot values as people write them.
    pub slots: BTreeMap<String, String>,
    /// The answer in the shape asked for.
    pub rendered: String,
    /// The plan it was written from.
    pub plan: Plan,
}

/// A template that was looked at and does not answer.
#[derive(Debug, Clone, PartialEq)]
pub struct TemplateCandidate {
    /// The template.
    pub id: String,
    /// Its most similar phrasing.
    pub phrasing: String,
    /// The cosine of goal and phrasing, both masked.
    pub similarity: f32,
    /// Why it does not answer.
    pub refusal: Refusal,
    /// The word, value or reason at fault.
    pub detail: String,
}

/// What the templates say to a goal.
#[derive(Debug, Clone)]
pub enum TemplateOutcome {
    /// A template answers.
    Hit(Box<Hit>),
    /// None does.
    Miss {
        /// The templates looked at, most similar first.
        candidates: Vec<TemplateCandidate>,
    },
}

struct Loaded {
    template: Template,
    profile: Profile,
    plan: CompiledPlan,
}

/// A goal as a template reads it, with the templates that fit it.
struct Reading {
    goal: Goal,
    fitting: Vec<(usize, Extraction)>,
}

impl Reading {
    fn fits(&self, template: usize) -> bool {
        self.fitting.iter().any(|(at, _)| *at == template)
    }
}

/// A set of templates, checked and compiled.
pub struct Library {
    loaded: Vec<Loaded>,
    phrasings: Vec<Phrasing>,
    lexicon: Lexicon,
    engine: Engine,
}

impl std::fmt::Debug for Library {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ids: Vec<&str> = self.templates().map(Template::id).collect();
        f.debug_struct("Library")
            .field("templates", &ids)
            .finish_non_exhaustive()
    }
}

impl Library {
    /// Loads the templates compiled in.
    ///
    /// # Errors
    /// Returns every problem of every file.
    pub fn load_builtin() -> Result<Self, Vec<Problem>> {
        Self::from_sources(&builtin_sources())
    }

    /// Loads the templates of a folder alone: every `.toml` file in it and below.
    ///
    /// # Errors
    /// Returns every problem of every file, unreadable ones included.
    pub fn load_dir(dir: &Path) -> Result<Self, Vec<Problem>> {
        Self::from_sources(&read_dir(dir)?)
    }

    /// Loads the templates compiled in and those of a folder, where one with the same id replaces a compiled-in one.
    ///
    /// # Errors
    /// Returns every problem of every file.
    pub fn load(dir: Option<&Path>) -> Result<Self, Vec<Problem>> {
        let Some(dir) = dir else {
            return Self::load_builtin();
        };
        let (builtin, added) = (parse_all(&builtin_sources()), parse_all(&read_dir(dir)?));
        let mut problems: Vec<Problem> = builtin.1.into_iter().chain(added.1).collect();
        let kept = builtin
            .0
            .into_iter()
            .filter(|old| added.0.iter().all(|new| new.id != old.id));
        let templates = kept.chain(added.0.iter().cloned()).collect();
        problems.extend(duplicates(&added.0));
        if problems.is_empty() {
            Self::compile(templates)
        } else {
            Err(problems)
        }
    }

    /// Loads templates from their texts.
    ///
    /// # Errors
    /// Returns every problem of every text.
    pub fn from_sources(sources: &[Source]) -> Result<Self, Vec<Problem>> {
        let (templates, mut problems) = parse_all(sources);
        problems.extend(duplicates(&templates));
        if problems.is_empty() {
            Self::compile(templates)
        } else {
            Err(problems)
        }
    }

    pub(super) fn compile(mut templates: Vec<Template>) -> Result<Self, Vec<Problem>> {
        templates.retain(|template| !template.is_draft());
        // One order, whatever the file system's, so that equal similarities are decided alike everywhere.
        templates.sort_by(|a, b| a.id.cmp(&b.id));
        let mut lexicon = Lexicon::default();
        for (index, template) in templates.iter().enumerate() {
            for slot in template.slots.values() {
                if let SlotKind::Choice { noun, values } = &slot.kind {
                    for alias in values.iter().flat_map(|value| &value.aliases) {
                        lexicon.add(index, alias, noun);
                    }
                }
            }
        }
        let mut library = Self {
            loaded: Vec::new(),
            phrasings: Vec::new(),
            lexicon,
            engine: Engine::new(),
        };
        let mut problems = Vec::new();
        for (index, template) in templates.into_iter().enumerate() {
            let typical = template.typical();
            for text in &template.phrasings {
                let filled = Goal::analyse(&template.fill(text, &typical));
                let texts = slots::extract(&template.slots, &[], &filled)
                    .map(|extraction| extraction.texts)
                    .unwrap_or_default();
                let generic = mask::without_texts(&filled, &texts);
                let masked = library
                    .lexicon
                    .mask(generic.as_ref().unwrap_or(&filled), |at| at == index);
                if !library
                    .phrasings
                    .iter()
                    .any(|p| p.template == index && p.masked == masked)
                {
                    library.phrasings.push(Phrasing {
                        template: index,
                        text: text.clone(),
                        masked,
                    });
                }
            }
            match CompiledPlan::new(&template, &mut library.engine) {
                Ok(plan) => {
                    let profile = Profile::new(&template);
                    library.loaded.push(Loaded {
                        template,
                        profile,
                        plan,
                    });
                }
                Err(error) => problems.push(Problem::new(
                    template.id.clone(),
                    "plan",
                    format!("does not compile: {error}"),
                    "correct the minijinja text",
                )),
            }
        }
        if problems.is_empty() {
            Ok(library)
        } else {
            Err(problems)
        }
    }

    /// Returns the templates in the order of their ids.
    pub fn templates(&self) -> impl ExactSizeIterator<Item = &Template> {
        self.loaded.iter().map(|loaded| &loaded.template)
    }

    /// Returns the phrasings to embed, each masked text once a template.
    pub fn phrasings(&self) -> &[Phrasing] {
        &self.phrasings
    }

    /// Masks a goal for comparison with the phrasings; the text to embed beside the goal's own.
    ///
    /// The choices of the templates that fit the goal are masked, or those of all templates when none does.
    pub fn mask(&self, goal: &Goal) -> String {
        let reading = self.reading(goal);
        // Of several templates with free texts the first decides, as everywhere.
        let texts = reading.fitting.first().map(|(_, read)| &read.texts);
        let generic = texts.and_then(|texts| mask::without_texts(&reading.goal, texts));
        let none = reading.fitting.is_empty();
        self.lexicon
            .mask(generic.as_ref().unwrap_or(&reading.goal), |at| {
                none || reading.fits(at)
            })
    }

    /// Decides by words and values alone whether a template answers a goal, and with which slot values.
    ///
    /// # Errors
    /// Returns why not. An index out of range answers nothing.
    pub fn fit(&self, template: usize, goal: &Goal) -> Result<Slots, Misfit> {
        let reading = self.reading(goal);
        Ok(self.read(template, &reading.goal, goal)?.slots)
    }

    /// Returns the fullest reading of a goal that any template fits; without one, the fullest.
    fn reading(&self, goal: &Goal) -> Reading {
        let mut fullest = None;
        for reading in remarks::readings(goal) {
            let fitting = self.fitting(&reading, goal);
            if !fitting.is_empty() {
                return Reading {
                    goal: reading,
                    fitting,
                };
            }
            fullest.get_or_insert(reading);
        }
        Reading {
            goal: fullest.unwrap_or_else(|| goal.clone()),
            fitting: Vec::new(),
        }
    }

    /// Returns the templates that fit a reading; one that reads a free text only where none fits without.
    fn fitting(&self, reading: &Goal, whole: &Goal) -> Vec<(usize, Extraction)> {
        let mut fitting: Vec<(usize, Extraction)> = (0..self.loaded.len())
            .filter_map(|template| Some((template, self.read(template, reading, whole).ok()?)))
            .collect();
        if fitting.iter().any(|(_, read)| read.texts.is_empty()) {
            fitting.retain(|(_, read)| read.texts.is_empty());
        }
        fitting
    }

    /// As [`Library::fit`], for one reading of a goal.
    ///
    /// Refused words are looked for in the whole goal: what a reading leaves out explains nothing, but may refuse.
    fn read(&self, template: usize, reading: &Goal, whole: &Goal) -> Result<Extraction, Misfit> {
        let Some(loaded) = self.loaded.get(template) else {
            return Err(Misfit::new(Refusal::NoPhrasing, ""));
        };
        let extraction = matching::fit(&loaded.template, &loaded.profile, reading)?;
        if let Some(misfit) = matching::refused_beside(&loaded.profile, whole, reading) {
            return Err(misfit);
        }
        match loaded.plan.broken_rule(&self.engine, &extraction.slots) {
            Ok(None) => Ok(extraction),
            Ok(Some(reason)) => Err(Misfit::new(Refusal::Rule, reason)),
            Err(error) => Err(Misfit::new(Refusal::Render, error.to_string())),
        }
    }

    /// Says whether any template fits a goal by words and values alone: without one, no vector is worth making.
    ///
    /// Cost: some tens of microseconds a reading; a plain goal has one to three.
    pub fn fits(&self, goal: &Goal) -> bool {
        remarks::readings(goal)
            .iter()
            .any(|reading| (0..self.loaded.len()).any(|at| self.read(at, reading, goal).is_ok()))
    }

    /// Says whether slot values obey the template's rules.
    ///
    /// # Errors
    /// Fails when a rule cannot be computed.
    pub fn obeys_rules(&self, template: usize, slots: &Slots) -> Result<bool, minijinja::Error> {
        match self.loaded.get(template) {
            Some(loaded) => Ok(loaded.plan.broken_rule(&self.engine, slots)?.is_none()),
            None => Ok(false),
        }
    }

    /// Renders a template's plan over slot values.
    ///
    /// # Errors
    /// Fails when a text cannot be computed over these values. An index out of range is an error too.
    pub fn plan(&self, template: usize, slots: &Slots) -> Result<Plan, minijinja::Error> {
        let loaded = self.loaded.get(template).ok_or_else(|| {
            minijinja::Error::new(
                minijinja::ErrorKind::TemplateNotFound,
                format!("there is no template {template}"),
            )
        })?;
        loaded.plan.render(&self.engine, slots)
    }

    /// Answers a goal: the most similar template that explains all of it.
    ///
    /// `masked_vector` is the embedding of [`Library::mask`] of the goal, `vectors` those of the masked phrasings.
    /// Vectors that do not belong to this library make a miss without candidates.
    /// Cost: one dot product a phrasing, then microseconds; a hit also renders its plan.
    pub fn answer(
        &self,
        goal: &Goal,
        shape: &Shape,
        masked_vector: &[f32],
        vectors: &PhrasingVectors,
        min_similarity: f32,
    ) -> TemplateOutcome {
        let reading = self.reading(goal);
        let mut candidates = Vec::new();
        for (place, (template, phrasing, similarity)) in
            self.ranked(masked_vector, vectors).into_iter().enumerate()
        {
            // What fits is looked at however many others are nearer.
            if place >= MAX_CANDIDATES && !reading.fits(template) {
                continue;
            }
            let Some(loaded) = self.loaded.get(template) else {
                continue;
            };
            let result = if similarity < min_similarity {
                Err(Misfit::new(Refusal::Similarity, ""))
            } else {
                self.try_answer(template, &reading, goal, shape)
            };
            match result {
                Ok((slots, plan, rendered)) => {
                    return TemplateOutcome::Hit(Box::new(Hit {
                        template_id: loaded.template.id.clone(),
                        phrasing: phrasing.to_owned(),
                        similarity,
                        slots: slots
                            .iter()
                            .map(|(name, value)| (name.clone(), value.to_string()))
                            .collect(),
                        rendered,
                        plan,
                    }));
                }
                Err(misfit) => candidates.push(TemplateCandidate {
                    id: loaded.template.id.clone(),
                    phrasing: phrasing.to_owned(),
                    similarity,
                    refusal: misfit.refusal,
                    detail: misfit.detail,
                }),
            }
        }
        TemplateOutcome::Miss { candidates }
    }

    fn try_answer(
        &self,
        template: usize,
        reading: &Reading,
        whole: &Goal,
        shape: &Shape,
    ) -> Result<(Slots, Plan, String), Misfit> {
        let slots = self.read(template, &reading.goal, whole)?.slots;
        if !reading.fits(template) {
            return Err(Misfit::new(
                Refusal::NoPhrasing,
                "another template says it without a free text",
            ));
        }
        let plan = self
            .plan(template, &slots)
            .map_err(|error| Misfit::new(Refusal::Render, error.to_string()))?;
        let rendered = shape
            .render(&plan)
            .map_err(|error| Misfit::new(Refusal::Render, error.to_string()))?;
        Ok((slots, plan, rendered))
    }

    /// Returns the most similar templates, each with its best phrasing, most similar first.
    fn ranked(&self, vector: &[f32], vectors: &PhrasingVectors) -> Vec<(usize, &str, f32)> {
        if vectors.len() != self.phrasings.len() || vector.len() != vectors.dimensions() {
            return Vec::new();
        }
        let mut best: Vec<Option<(usize, &str, f32)>> = vec![None; self.loaded.len()];
        for (phrasing, similarity) in self.phrasings.iter().zip(vectors.similarities(vector)) {
            if let Some(best) = best.get_mut(phrasing.template)
                && best.is_none_or(|(_, _, other)| similarity > other)
            {
                *best = Some((phrasing.template, &phrasing.text, similarity));
            }
        }
        let mut ranked: Vec<(usize, &str, f32)> = best.into_iter().flatten().collect();
        ranked.sort_by(|a, b| b.2.total_cmp(&a.2));
        ranked
    }
}

/// Returns the template files compiled in.
pub fn builtin_sources() -> Vec<Source> {
    BUILTIN
        .iter()
        .map(|(name, text)| Source {
            name: (*name).to_owned(),
            text: (*text).to_owned(),
        })
        .collect()
}

/// Reads every `.toml` file of a folder and below, in the order of their paths.
///
/// # Errors
/// Returns a problem for each folder or file that cannot be read.
pub fn read_dir(dir: &Path) -> Result<Vec<Source>, Vec<Problem>> {
    let (mut sources, mut problems) = (Vec::new(), Vec::new());
    let mut folders = vec![dir.to_path_buf()];
    let unreadable = |path: &Path, error: &std::io::Error| {
        Problem::new(
            path.display().to_string(),
            "",
            error.to_string(),
            "make the templates folder readable",
        )
    };
    while let Some(folder) = folders.pop() {
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) => {
                problems.push(unreadable(&folder, &error));
                continue;
            }
        };
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path
                .extension()
                .is_some_and(|extension| extension == "toml")
            {
                let name = path
                    .strip_prefix(dir)
                    .unwrap_or(&path)
                    .display()
                    .to_string();
                match std::fs::read_to_string(&path) {
                    Ok(text) => sources.push(Source { name, text }),
                    Err(error) => problems.push(unreadable(&path, &error)),
                }
            }
        }
    }
    sources.sort_by(|a, b| a.name.cmp(&b.name));
    if problems.is_empty() {
        Ok(sources)
    } else {
        Err(problems)
    }
}

/// Returns the compiled-in files and those of a folder, without the compiled-in ones that one of the folder's
/// replaces: what [`Library::load`] loads, as texts.
///
/// # Errors
/// Returns why the folder cannot be read.
pub fn sources(dir: Option<&Path>) -> Result<Vec<Source>, Vec<Problem>> {
    let Some(dir) = dir else {
        return Ok(builtin_sources());
    };
    let added = read_dir(dir)?;
    let replaced = parse_all(&added).0;
    let kept = builtin_sources().into_iter().filter(|source| {
        let id = Template::parse(&source.name, &source.text).map(|template| template.id);
        id.map_or(true, |id| replaced.iter().all(|new| new.id != id))
    });
    Ok(kept.chain(added).collect())
}

pub(super) fn parse_all(sources: &[Source]) -> (Vec<Template>, Vec<Problem>) {
    let (mut templates, mut problems) = (Vec::new(), Vec::new());
    for source in sources {
        match Template::parse(&source.name, &source.text) {
            Ok(template) => templates.push(template),
            Err(found) => problems.extend(found),
        }
    }
    (templates, problems)
}

fn duplicates(templates: &[Template]) -> Vec<Problem> {
    let mut seen = std::collections::HashSet::new();
    let twice = templates
        .iter()
        .filter(|template| !seen.insert(template.id.as_str()));
    twice
        .map(|t| {
            Problem::new(
                t.id.as_str(),
                "id",
                "another template has this id",
                "choose another id",
            )
        })
        .collect()
}
