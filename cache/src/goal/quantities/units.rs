//! Units of time, weight, length and money, by the words and signs people use for them.

/// A unit of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimeUnit {
    /// Seconds.
    Second,
    /// Minutes.
    Minute,
    /// Hours.
    Hour,
    /// Days.
    Day,
    /// Weeks.
    Week,
    /// Months of 30.44 days.
    Month,
    /// Years of 365.25 days.
    Year,
}

impl TimeUnit {
    /// Reads a unit word and how many of the unit it stands for ("fortnight" is two weeks).
    pub fn read(word: &str) -> Option<(Self, f64)> {
        Some(match word {
            "second" | "seconds" | "sec" | "secs" => (Self::Second, 1.0),
            "minute" | "minutes" | "min" | "mins" => (Self::Minute, 1.0),
            "hour" | "hours" | "hr" | "hrs" => (Self::Hour, 1.0),
            "day" | "days" => (Self::Day, 1.0),
            "week" | "weeks" | "wk" | "wks" => (Self::Week, 1.0),
            "fortnight" | "fortnights" => (Self::Week, 2.0),
            "month" | "months" | "mth" | "mths" | "mo" => (Self::Month, 1.0),
            "quarter" | "quarters" => (Self::Month, 3.0),
            "year" | "years" | "yr" | "yrs" => (Self::Year, 1.0),
            "decade" | "decades" => (Self::Year, 10.0),
            _ => return None,
        })
    }

    /// Returns the unit's length in days.
    pub fn days(self) -> f64 {
        match self {
            Self::Second => 1.0 / 86_400.0,
            Self::Minute => 1.0 / 1_440.0,
            Self::Hour => 1.0 / 24.0,
            Self::Day => 1.0,
            Self::Week => 7.0,
            Self::Month => 30.44,
            Self::Year => 365.25,
        }
    }

    /// Returns the singular English name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
        }
    }
}

/// A unit of weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WeightUnit {
    /// Grams.
    Gram,
    /// Kilograms.
    Kilogram,
    /// Pounds.
    Pound,
    /// Stones of 14 pounds.
    Stone,
    /// Ounces.
    Ounce,
}

impl WeightUnit {
    /// Reads a unit word.
    pub fn read(word: &str) -> Option<Self> {
        Some(match word {
            "g" | "gram" | "grams" | "gm" | "gms" => Self::Gram,
            "kg" | "kgs" | "kilo" | "kilos" | "kilogram" | "kilograms" | "kilogramme"
            | "kilogrammes" => Self::Kilogram,
            "lb" | "lbs" | "pound" | "pounds" => Self::Pound,
            "stone" | "stones" => Self::Stone,
            "oz" | "ounce" | "ounces" => Self::Ounce,
            _ => return None,
        })
    }

    /// Returns the unit's weight in kilograms.
    pub fn kilograms(self) -> f64 {
        match self {
            Self::Gram => 0.001,
            Self::Kilogram => 1.0,
            Self::Pound => 0.453_592_37,
            Self::Stone => 6.350_293_18,
            Self::Ounce => 0.028_349_523,
        }
    }

    /// Returns the unit's sign.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Gram => "g",
            Self::Kilogram => "kg",
            Self::Pound => "lb",
            Self::Stone => "st",
            Self::Ounce => "oz",
        }
    }
}

/// A unit of length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LengthUnit {
    /// Centimetres.
    Centimetre,
    /// Inches.
    Inch,
    /// Feet.
    Foot,
    /// Metres.
    Metre,
    /// Kilometres.
    Kilometre,
    /// Miles.
    Mile,
}

impl LengthUnit {
    /// Reads a unit word.
    pub fn read(word: &str) -> Option<Self> {
        Some(match word {
            "cm" | "cms" | "centimeter" | "centimeters" | "centimetre" | "centimetres" => {
                Self::Centimetre
            }
            "inch" | "inches" => Self::Inch,
            "ft" | "feet" | "foot" => Self::Foot,
            "m" | "meter" | "meters" | "metre" | "metres" => Self::Metre,
            "km" | "kms" | "kilometer" | "kilometers" | "kilometre" | "kilometres" => {
                Self::Kilometre
            }
            "mile" | "miles" | "mi" => Self::Mile,
            _ => return None,
        })
    }

    /// Returns the unit's length in kilometres.
    pub fn kilometres(self) -> f64 {
        match self {
            Self::Centimetre => 1e-5,
            Self::Inch => 2.54e-5,
            Self::Foot => 3.048e-4,
            Self::Metre => 1e-3,
            Self::Kilometre => 1.0,
            Self::Mile => 1.609_344,
        }
    }

    /// Returns the unit's sign.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Centimetre => "cm",
            Self::Inch => "in",
            Self::Foot => "ft",
            Self::Metre => "m",
            Self::Kilometre => "km",
            Self::Mile => "mi",
        }
    }
}

/// A currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Currency {
    /// US dollars.
    Dollar,
    /// Euros.
    Euro,
    /// Pounds sterling.
    Sterling,
    /// Yen.
    Yen,
    /// Indian rupees.
    Rupee,
}

impl Currency {
    /// Reads a currency word.
    pub fn read(word: &str) -> Option<Self> {
        Some(match word {
            "dollar" | "dollars" | "usd" | "buck" | "bucks" => Self::Dollar,
            "euro" | "euros" | "eur" => Self::Euro,
            "gbp" | "quid" | "sterling" => Self::Sterling,
            "yen" | "jpy" => Self::Yen,
            "rupee" | "rupees" | "inr" | "rs" => Self::Rupee,
            _ => return None,
        })
    }

    /// Reads a currency sign.
    pub fn read_sign(sign: char) -> Option<Self> {
        Some(match sign {
            '$' => Self::Dollar,
            '\u{20ac}' => Self::Euro,
            '\u{a3}' => Self::Sterling,
            '\u{a5}' => Self::Yen,
            '\u{20b9}' => Self::Rupee,
            _ => return None,
        })
    }

    /// Returns the sign.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Dollar => "$",
            Self::Euro => "\u{20ac}",
            Self::Sterling => "\u{a3}",
            Self::Yen => "\u{a5}",
            Self::Rupee => "\u{20b9}",
        }
    }
}
