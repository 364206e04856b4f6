//! Colours that eyes of every kind tell apart (Okabe and Ito, 2008), each with its form on a dark page.

use std::fmt::Write as _;

/// A colour by its role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// Behind everything.
    Paper,
    /// Titles and axes.
    Text,
    /// Labels.
    Soft,
    /// Grid lines.
    Grid,
    /// What is there but not in the foreground.
    Grey,
    /// Behind the data while something goes wrong.
    Band,
    /// Okabe-Ito orange.
    Orange,
    /// Okabe-Ito sky blue.
    Sky,
    /// Okabe-Ito bluish green.
    Green,
    /// Okabe-Ito blue.
    Blue,
    /// Okabe-Ito vermillion.
    Vermillion,
    /// Okabe-Ito reddish purple.
    Purple,
}

impl Ink {
    /// Every colour.
    pub const ALL: [Self; 12] = [
        Self::Paper,
        Self::Text,
        Self::Soft,
        Self::Grid,
        Self::Grey,
        Self::Band,
        Self::Orange,
        Self::Sky,
        Self::Green,
        Self::Blue,
        Self::Vermillion,
        Self::Purple,
    ];

    /// On a light page.
    #[must_use]
    pub const fn light(self) -> [u8; 3] {
        match self {
            Self::Paper => [0xff, 0xff, 0xff],
            Self::Text => [0x1b, 0x1f, 0x24],
            Self::Soft => [0x55, 0x5d, 0x67],
            Self::Grid => [0xe4, 0xe7, 0xeb],
            Self::Grey => [0xc9, 0xce, 0xd6],
            Self::Band => [0xfb, 0xe6, 0xd4],
            Self::Orange => [0xe6, 0x9f, 0x00],
            Self::Sky => [0x56, 0xb4, 0xe9],
            Self::Green => [0x00, 0x9e, 0x73],
            Self::Blue => [0x00, 0x72, 0xb2],
            Self::Vermillion => [0xd5, 0x5e, 0x00],
            Self::Purple => [0xcc, 0x79, 0xa7],
        }
    }

    /// On a light page, as the SVG backend writes it.
    #[must_use]
    pub fn hex(self) -> String {
        hex(self.light())
    }

    /// On a dark page.
    #[must_use]
    pub const fn dark(self) -> [u8; 3] {
        match self {
            Self::Paper => [0x1a, 0x1e, 0x24],
            Self::Text => [0xec, 0xef, 0xf3],
            Self::Soft => [0xa9, 0xb2, 0xbd],
            Self::Grid => [0x31, 0x37, 0x40],
            Self::Grey => [0x55, 0x5e, 0x6a],
            Self::Band => [0x47, 0x30, 0x22],
            // An area: lines must stand out on it.
            Self::Sky => [0x2b, 0x6c, 0x96],
            Self::Blue => [0x3d, 0x8f, 0xd1],
            Self::Vermillion => [0xee, 0x7b, 0x26],
            Self::Green => [0x1d, 0xb8, 0x8a],
            other => other.light(),
        }
    }
}

/// CSS rules that give the charts inside `scope` their dark colours: SVG carries the light ones as attributes.
#[must_use]
pub fn dark_css(scope: &str) -> String {
    let mut css = String::new();
    for ink in Ink::ALL {
        let (light, dark) = (hex(ink.light()), hex(ink.dark()));
        let _ = write!(
            css,
            "{scope} [fill=\"{light}\"]{{fill:{dark}}}{scope} [stroke=\"{light}\"]{{stroke:{dark}}}"
        );
    }
    css
}

/// As the SVG backend writes a colour.
fn hex([r, g, b]: [u8; 3]) -> String {
    format!("#{r:02X}{g:02X}{b:02X}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance as the web's accessibility guidelines define it.
    fn luminance(rgb: [u8; 3]) -> f64 {
        let linear = |c: u8| {
            let c = f64::from(c) / 255.0;
            if c <= 0.040_45 { c / 12.92 } else { libm::pow((c + 0.055) / 1.055, 2.4) }
        };
        0.2126 * linear(rgb[0]) + 0.7152 * linear(rgb[1]) + 0.0722 * linear(rgb[2])
    }

    fn contrast(a: [u8; 3], b: [u8; 3]) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn text_is_readable_on_both_papers() {
        for ink in [Ink::Text, Ink::Soft] {
            assert!(contrast(ink.light(), Ink::Paper.light()) >= 4.5, "{ink:?} on light");
            assert!(contrast(ink.dark(), Ink::Paper.dark()) >= 4.5, "{ink:?} on dark");
        }
    }

    #[test]
    fn lines_stand_out_on_both_papers() {
        for ink in [Ink::Green, Ink::Blue, Ink::Vermillion] {
            assert!(contrast(ink.light(), Ink::Paper.light()) >= 3.0, "{ink:?} on light");
            assert!(contrast(ink.dark(), Ink::Paper.dark()) >= 3.0, "{ink:?} on dark");
        }
    }

    #[test]
    fn no_two_inks_share_a_colour() {
        for (i, a) in Ink::ALL.iter().enumerate() {
            for b in &Ink::ALL[i + 1..] {
                assert_ne!(a.light(), b.light());
                assert_ne!(a.dark(), b.dark());
            }
        }
    }
}
