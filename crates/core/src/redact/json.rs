//! JSON masked in place: one walk over the bytes, no tree. What is not masked stays byte for byte as it came.
//!
//! The text is read as RFC 8259 has it, several values in a row allowed (NDJSON), a byte order mark before the first.
//! What is not JSON gives no output at all. Text that is cut off is read up to the cut, and what is there of a secret
//! goes.

mod escapes;
mod grammar;
mod tokens;

use super::rewrite::Rewrite;
use super::treatment::{Fate, Place};
use super::values::{self, SHORTEST, SHORTEST_PAIR};
use super::{Redactor, Verdict};
use escapes::Cursor;
use grammar::{Grammar, Role};
use tokens::{Kind, Token, Tokens};

/// Masks by the names of members at any depth, and by the shape of strings and numbers. `cut` says that the end of the
/// text is missing.
pub(super) fn mask(rules: &Redactor, raw: &[u8], cut: bool, out: &mut Vec<u8>) -> Verdict {
    let mut walk = Walk {
        rules,
        raw,
        cut,
        rewrite: Rewrite::new(raw, out),
        grammar: Grammar::default(),
        member: None,
        secret: None,
        comma: None,
        comma_goes: false,
        unescaped: Vec::new(),
    };
    match walk.run() {
        Some(()) => walk.rewrite.finish(),
        None => walk.rewrite.abandon(),
    }
}

/// A member of an object, from its key on.
#[derive(Clone, Copy)]
struct Member {
    start: usize,
    /// The name as it came, without quotes.
    name: (usize, usize),
    fate: Option<Fate>,
    /// The comma before it, if that still stands.
    comma: Option<usize>,
}

/// An object or array that goes, while it is open.
struct Secret {
    member: Member,
    fate: Fate,
    start: usize,
    depth: usize,
}

struct Walk<'a> {
    rules: &'a Redactor,
    raw: &'a [u8],
    cut: bool,
    rewrite: Rewrite<'a>,
    grammar: Grammar,
    /// The member whose value comes next.
    member: Option<Member>,
    secret: Option<Secret>,
    comma: Option<usize>,
    /// The first member of an object was left out: the comma behind it goes too.
    comma_goes: bool,
    /// Strings with escapes are read into this one buffer.
    unescaped: Vec<u8>,
}

impl Walk<'_> {
    /// `None` where the text is no JSON.
    fn run(&mut self) -> Option<()> {
        let mut tokens = Tokens::new(self.raw, self.cut);
        while let Some(token) = tokens.next()? {
            let role = self.grammar.take(token.kind)?;
            self.step(role, &token)?;
        }
        if let Some(Secret { member, fate, start, .. }) = self.secret.take() {
            self.treat(Some(member), fate, start, self.raw.len(), None);
        }
        (self.cut || self.grammar.is_whole()).then_some(())
    }

    fn step(&mut self, role: Role, token: &Token) -> Option<()> {
        // Also in what goes as a whole: broken escapes make no JSON.
        if token.escapes {
            self.unescaped.clear();
            escapes::unescape(token.content(self.raw), !token.closed, &mut self.unescaped)?;
        }
        if let Some(secret) = &self.secret {
            if role == Role::Close && self.grammar.depth() == secret.depth {
                let Secret { member, fate, start, .. } = self.secret.take()?;
                self.treat(Some(member), fate, start, token.end, None);
            }
            return Some(());
        }
        match role {
            Role::Key => self.key(token),
            Role::Value => self.value(token),
            Role::Open => {
                self.comma = None;
                let member = self.member.take();
                if let Some(member) = member
                    && let Some(fate) = member.fate
                {
                    let depth = self.grammar.depth() - 1;
                    self.secret = Some(Secret { member, fate, start: token.start, depth });
                }
            }
            Role::Close => (self.comma, self.comma_goes) = (None, false),
            Role::Comma if std::mem::take(&mut self.comma_goes) => {
                self.rewrite.cut(self.rewrite.done(), token.end);
                self.comma = None;
            }
            Role::Comma => self.comma = Some(token.start),
            Role::Colon => {}
        }
        Some(())
    }

    fn key(&mut self, token: &Token) {
        let name = if token.escapes { &self.unescaped } else { token.content(self.raw) };
        let fate = self.rules.fate_of_name(name).filter(|_| token.closed);
        let comma = self.comma.take();
        // A key may be a secret itself: a map by token.
        if name.len() >= SHORTEST_PAIR {
            self.text(token);
        }
        let name = (token.start + 1, token.content_end());
        self.member = Some(Member { start: token.start, name, fate, comma });
    }

    fn value(&mut self, token: &Token) {
        let member = self.member.take();
        let content = token.content(self.raw);
        let custom = || {
            let (from, to) = member.map_or((0, 0), |m| m.name);
            self.rules.custom(Place::Member, &self.raw[from..to], content)
        };
        let by_shape = || {
            let number = token.kind == Kind::Word && (content.len() >= SHORTEST || !token.closed);
            number.then(|| self.rules.values.first(&self.rules.names, content, !token.closed)).flatten()
        };
        match member.and_then(|m| m.fate).or_else(custom).or_else(by_shape) {
            Some(fate) => self.treat(member, fate, token.start, token.end, Some(token)),
            None if token.kind == Kind::String && (content.len() >= SHORTEST_PAIR || !token.closed) => {
                self.text(token)
            }
            None => {}
        }
    }

    /// Looks for secrets in a string.
    fn text(&mut self, token: &Token) {
        let Self { rules, rewrite, unescaped, .. } = self;
        let (from, to) = (token.start + 1, token.content_end());
        if !token.escapes {
            return values::mask(rules, rewrite, from, to, !token.closed);
        }
        let mut cursor = Cursor::new(token.content(self.raw));
        values::each(rules, unescaped, !token.closed, |range, fate| {
            let start = from + cursor.raw_offset(range.start);
            rewrite.treat(&rules.key, fate, start, from + cursor.raw_offset(range.end));
        });
    }

    /// Puts a mark in the place of a value, or leaves its member out. `scalar` is the value if it is one.
    fn treat(&mut self, member: Option<Member>, fate: Fate, from: usize, to: usize, scalar: Option<&Token>) {
        if let (Fate::DROP, Some(member)) = (fate, member) {
            self.comma_goes = member.comma.is_none();
            return self.rewrite.cut(member.comma.unwrap_or(member.start), to);
        }
        let (key, unescaped) = (&self.rules.key, &self.unescaped);
        let string = scalar.filter(|token| token.kind == Kind::String);
        self.rewrite.replace(from, to, |raw, out| {
            let secret = match string {
                Some(token) if token.escapes => unescaped,
                Some(token) => &raw[1..token.content_end() - from],
                None => raw,
            };
            out.push(b'"');
            fate.write(key, secret, out);
            out.push(b'"');
        });
    }
}
