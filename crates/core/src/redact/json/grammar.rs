//! Which token may follow which (RFC 8259 §2 to §5).

use super::tokens::Kind;

/// What a token is at its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Open,
    Close,
    Comma,
    Colon,
    Key,
    /// A string, a number or a word that stands for itself.
    Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Expect {
    /// A value outside of all containers, or the end.
    #[default]
    Top,
    Value,
    ValueOrClose,
    Key,
    KeyOrClose,
    Colon,
    CommaOrClose,
}

/// How deep containers may stand in each other.
const DEEPEST: usize = 128;

#[derive(Default)]
pub(super) struct Grammar {
    expect: Expect,
    depth: usize,
    /// One bit for each open container, the innermost lowest: whether it is an object.
    objects: u128,
}

impl Grammar {
    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    /// Whether the text may end here.
    pub(super) fn is_whole(&self) -> bool {
        self.expect == Expect::Top
    }

    /// `None` where this token may not stand, or is too deep.
    pub(super) fn take(&mut self, token: Kind) -> Option<Role> {
        use Expect::{Colon, CommaOrClose, Key, KeyOrClose, Top, Value, ValueOrClose};
        let in_object = self.objects & 1 == 1;
        let (expect, role) = match (token, self.expect) {
            (Kind::OpenObject | Kind::OpenArray, Top | Value | ValueOrClose) if self.depth < DEEPEST => {
                let object = token == Kind::OpenObject;
                self.objects = self.objects << 1 | u128::from(object);
                self.depth += 1;
                (if object { KeyOrClose } else { ValueOrClose }, Role::Open)
            }
            (Kind::CloseObject, KeyOrClose | CommaOrClose) if in_object => (self.close(), Role::Close),
            (Kind::CloseArray, ValueOrClose | CommaOrClose) if !in_object => (self.close(), Role::Close),
            (Kind::Comma, CommaOrClose) => (if in_object { Key } else { Value }, Role::Comma),
            (Kind::Colon, Colon) => (Value, Role::Colon),
            (Kind::String, Key | KeyOrClose) => (Colon, Role::Key),
            (Kind::String | Kind::Word, Top | Value | ValueOrClose) => (self.after_value(), Role::Value),
            _ => return None,
        };
        self.expect = expect;
        Some(role)
    }

    fn close(&mut self) -> Expect {
        self.objects >>= 1;
        self.depth = self.depth.saturating_sub(1);
        self.after_value()
    }

    fn after_value(&self) -> Expect {
        if self.depth == 0 { Expect::Top } else { Expect::CommaOrClose }
    }
}
