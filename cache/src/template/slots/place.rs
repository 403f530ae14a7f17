//! Countries and well-known cities, by list: a capital letter alone names anything.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::LazyLock;

use crate::goal::{Goal, Kind};

const PLACES: &str = "Afghanistan,Albania,Algeria,Andorra,Angola,Argentina,Armenia,Australia,Austria,Azerbaijan,Bahamas,\
    Bahrain,Bangladesh,Barbados,Belarus,Belgium,Belize,Benin,Bhutan,Bolivia,Bosnia,Botswana,Brazil,Brunei,Bulgaria,\
    Burkina Faso,Burundi,Cambodia,Cameroon,Canada,Cape Verde,Chad,Chile,China,Colombia,Congo,Costa Rica,Croatia,Cuba,\
    Cyprus,Czechia,Czech Republic,Denmark,Djibouti,Dominican Republic,Ecuador,Egypt,El Salvador,England,Eritrea,Estonia,\
    Ethiopia,Fiji,Finland,France,Gabon,Gambia,Georgia,Germany,Ghana,Greece,Greenland,Guatemala,Guinea,Guyana,Haiti,\
    Honduras,Hungary,Iceland,India,Indonesia,Iran,Iraq,Ireland,Israel,Italy,Ivory Coast,Jamaica,Japan,Jordan,Kazakhstan,\
    Kenya,Kosovo,Kuwait,Kyrgyzstan,Laos,Latvia,Lebanon,Lesotho,Liberia,Libya,Liechtenstein,Lithuania,Luxembourg,\
    Madagascar,Malawi,Malaysia,Maldives,Mali,Malta,Mauritania,Mauritius,Mexico,Moldova,Monaco,Mongolia,Montenegro,\
    Morocco,Mozambique,Myanmar,Namibia,Nepal,Netherlands,New Zealand,Nicaragua,Niger,Nigeria,North Korea,North Macedonia,\
    Northern Ireland,Norway,Oman,Pakistan,Panama,Papua New Guinea,Paraguay,Peru,Philippines,Poland,Portugal,Puerto Rico,\
    Qatar,Romania,Russia,Rwanda,Samoa,Saudi Arabia,Scotland,Senegal,Serbia,Seychelles,Sierra Leone,Singapore,Slovakia,\
    Slovenia,Somalia,South Africa,South Korea,South Sudan,Spain,Sri Lanka,Sudan,Suriname,Sweden,Switzerland,Syria,Taiwan,\
    Tajikistan,Tanzania,Thailand,Tibet,Togo,Tonga,Trinidad,Tunisia,Turkey,Turkmenistan,Uganda,Ukraine,\
    United Arab Emirates,United Kingdom,United States,Uruguay,Uzbekistan,Venezuela,Vietnam,Wales,Yemen,Zambia,Zimbabwe,\
    Africa,Antarctica,Asia,Europe,North America,South America,Latin America,Central America,Scandinavia,Patagonia,\
    Amsterdam,Athens,Atlanta,Auckland,Austin,Bali,Bangkok,Barcelona,Beijing,Berlin,Bogota,Boston,Brussels,Budapest,\
    Buenos Aires,Cairo,Cancun,Cape Town,Chicago,Copenhagen,Cusco,Dallas,Delhi,Denver,Dubai,Dublin,Edinburgh,Florence,\
    Florida,Geneva,Goa,Hanoi,Havana,Hawaii,Helsinki,Hong Kong,Houston,Istanbul,Jakarta,Jerusalem,Johannesburg,Kerala,\
    Kyoto,Lagos,Las Vegas,Lima,Lisbon,London,Los Angeles,Madrid,Manila,Marrakesh,Melbourne,Miami,Milan,Montreal,Moscow,\
    Mumbai,Munich,Nairobi,Naples,New Delhi,New Orleans,New York,New York City,Nice,Osaka,Oslo,Paris,Philadelphia,Phuket,\
    Portland,Porto,Prague,Quito,Reykjavik,Rio de Janeiro,Rome,San Diego,San Francisco,Santiago,Sao Paulo,Seattle,Seoul,\
    Seville,Shanghai,Sicily,Stockholm,Sydney,Taipei,Texas,Tokyo,Toronto,Tuscany,Vancouver,Venice,Vienna,Warsaw,Zurich,\
    Alaska,California,Arizona,Colorado";

/// Other ways to write a place.
const ALIASES: [(&str, &str); 11] = [
    ("usa", "United States"),
    ("the us", "United States"),
    ("the states", "United States"),
    ("america", "United States"),
    ("uk", "United Kingdom"),
    ("the uk", "United Kingdom"),
    ("great britain", "United Kingdom"),
    ("uae", "United Arab Emirates"),
    ("holland", "Netherlands"),
    ("nyc", "New York City"),
    ("korea", "South Korea"),
];

/// Places that are other words, or parts of names, when written small.
const AMBIGUOUS: [&str; 11] = [
    "turkey", "china", "chad", "jordan", "georgia", "nice", "guinea", "mali", "lima", "austin",
    "florence",
];

type Entries = HashMap<String, Vec<(Vec<String>, &'static str)>>;

static GAZETTEER: LazyLock<Entries> = LazyLock::new(|| {
    let mut entries = Entries::new();
    let names = PLACES.split(',').map(str::trim).map(|name| (name, name));
    for (written, display) in names.chain(ALIASES) {
        let lower = written.to_lowercase();
        let mut words = lower.split_whitespace().map(str::to_owned);
        if let Some(first) = words.next() {
            entries
                .entry(first)
                .or_default()
                .push((words.collect(), display));
        }
    }
    for list in entries.values_mut() {
        list.sort_by_key(|(rest, _)| std::cmp::Reverse(rest.len()));
    }
    entries
});

/// Returns the places that are known, in display form.
pub fn known() -> impl Iterator<Item = &'static str> {
    PLACES.split(',').map(str::trim)
}

/// Finds the places of a goal, the longest name first at each word.
pub(in crate::template) fn find(goal: &Goal) -> Vec<(Range<usize>, &'static str)> {
    let tokens = goal.tokens();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let entry = GAZETTEER
            .get(&token.word)
            .filter(|_| token.kind == Kind::Word && !token.possessive);
        let place = entry.and_then(|entries| {
            entries.iter().find(|(rest, _)| {
                rest.iter()
                    .enumerate()
                    .all(|(i, word)| tokens.get(at + 1 + i).is_some_and(|t| t.word == *word))
            })
        });
        let before = at
            .checked_sub(1)
            .and_then(|at| tokens.get(at))
            .map_or("", |t| t.word.as_str());
        let announced = matches!(
            before,
            "to" | "in" | "visit" | "from" | "around" | "through" | "across" | "see"
        );
        match place {
            Some((rest, display))
                if !rest.is_empty()
                    || !AMBIGUOUS.contains(&token.word.as_str())
                    || (token.capital && (announced || !token.starts_sentence)) =>
            {
                found.push((at..at + 1 + rest.len(), *display));
                at += 1 + rest.len();
            }
            _ => at += 1,
        }
    }
    found
}
