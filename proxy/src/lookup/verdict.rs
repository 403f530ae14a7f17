//! From a tier's outcome to the finding: what is served, what was refused and why.

use tollfree_cache::decision::{self, Considered, Proposer, Terms};
use tollfree_cache::entry::{Answer, Finish, Usage};
use tollfree_cache::goal::Goal;
use tollfree_cache::template::TemplateOutcome;

use super::{Finding, Hit, Lookup, Tier};

impl Lookup {
    pub(super) fn take_template(
        &self,
        outcome: TemplateOutcome,
        goal: &Goal,
        terms: &Terms<'_>,
        finding: &mut Finding,
    ) {
        match outcome {
            TemplateOutcome::Hit(hit) => {
                let usage = Usage {
                    input_tokens: self.models.count_tokens(goal.text()),
                    output_tokens: self.models.count_tokens(&hit.rendered),
                };
                let answer = Answer {
                    text: hit.rendered,
                    finish: Finish::Stop,
                    usage,
                    model: String::new(),
                };
                let fits = answer.fits(terms.max_tokens, terms.stop);
                finding.considered.push(Considered {
                    proposer: Proposer::Template,
                    id: hit.template_id.clone(),
                    text: hit.phrasing,
                    similarity: hit.similarity,
                    confidence: None,
                    needed: None,
                    verdict: if fits {
                        decision::SAME
                    } else {
                        "longer than the token cap, or holds a stop string"
                    },
                    detail: None,
                });
                self.note_best(hit.similarity, finding);
                if fits {
                    finding.similarity = Some(hit.similarity);
                    finding.hit = Some(Hit::Template {
                        id: hit.template_id,
                        answer,
                    });
                }
            }
            TemplateOutcome::Miss { candidates } => {
                if let Some(best) = candidates.first() {
                    self.note_best(best.similarity, finding);
                }
                for candidate in candidates {
                    self.metrics
                        .refusals
                        .with_label_values(&[candidate.refusal.as_str()])
                        .inc();
                    finding.considered.push(Considered {
                        proposer: Proposer::Template,
                        id: candidate.id,
                        text: candidate.phrasing,
                        similarity: candidate.similarity,
                        confidence: None,
                        needed: None,
                        verdict: candidate.refusal.as_str(),
                        detail: Some(candidate.detail).filter(|detail| !detail.is_empty()),
                    });
                }
            }
        }
    }

    pub(super) fn take_semantic(
        &self,
        outcome: decision::Semantic,
        terms: &Terms<'_>,
        finding: &mut Finding,
    ) {
        for considered in &outcome.considered {
            if considered.verdict != decision::SAME {
                self.metrics
                    .refusals
                    .with_label_values(&[considered.verdict])
                    .inc();
            }
        }
        if let Some(best) = outcome.considered.first() {
            self.note_best(best.similarity, finding);
            finding.reason = Some(best.verdict.into());
            (finding.confidence, finding.needed) = (best.confidence, best.needed);
        }
        let served = outcome
            .considered
            .iter()
            .find(|considered| considered.verdict == decision::SAME)
            .map_or((None, None), |served| (served.confidence, served.needed));
        finding.considered.extend(outcome.considered);
        if let Some(candidate) = outcome.hit {
            finding.reason = None;
            finding.similarity = Some(candidate.similarity);
            (finding.confidence, finding.needed) = served;
            finding.hit = Some(Hit::Entry {
                entry: candidate.entry,
                tier: Tier::Semantic,
                now_ms: terms.now_ms,
            });
        }
    }

    fn note_best(&self, similarity: f32, finding: &mut Finding) {
        if finding.similarity.is_none_or(|best| similarity > best) {
            finding.similarity = Some(similarity);
        }
        self.metrics.best_similarity.observe(f64::from(similarity));
    }
}
