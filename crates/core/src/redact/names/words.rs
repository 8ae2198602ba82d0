//! The built-in words.

use super::split::Split;

/// How a word has to lie in a name. A *part* is what stands between separators, humps and digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// Is a part; humps may run through it (`PiN`), separators not (`s_id`). For short words.
    Part,
    /// Is one part, with no hump in it: the run-together form of parts of which one is a word itself, as `userpin`.
    Run,
    /// Is a part, or several in a row: `api_key`.
    Joined,
    /// The same, or the end of a part: `accesstoken`. For words that end no other word of the language.
    End,
    /// The same, or anywhere in a part: `newpassword`. For words that no other word of the language contains.
    Within,
}

impl Fit {
    pub(super) fn holds(self, name: &Split, at: usize, len: usize) -> bool {
        let ends = name.ends_part(at + len);
        let whole = ends && name.starts_part(at);
        match self {
            Self::Part => whole && name.is_unseparated(at, len),
            Self::Run => whole && name.is_unbroken(at, len),
            Self::Joined => whole,
            Self::End => whole || (ends && name.is_unbroken(at, len)),
            Self::Within => whole || name.is_unbroken(at, len),
        }
    }
}

use Fit::{End, Joined, Part, Run, Within};

/// Words that make a name secret, in lower case and without separators. Two letters or more.
pub(super) const SECRET: &[(&str, Fit)] = &[
    // Passwords.
    ("password", Within),
    ("passwd", Within),
    ("passphrase", Within),
    ("pwd", Within),
    ("pswd", Within),
    ("passwort", Within),
    ("kennwort", Within),
    ("motdepasse", Joined),
    ("contraseña", Within),
    ("contrasena", Within),
    ("senha", Part),
    ("비밀번호", Within),
    ("密码", Within),
    ("密碼", Within),
    ("パスワード", Within),
    ("pass", Part),
    ("passcode", Joined),
    ("passkey", Joined),
    ("userpass", Run),
    ("adminpass", Run),
    ("rootpass", Run),
    ("loginpass", Run),
    ("dbpass", Run),
    ("ftppass", Run),
    ("smtppass", Run),
    // Secrets, tokens, credentials.
    ("secret", End),
    ("secrets", End),
    ("secretid", Run),
    ("secretvalue", Run),
    ("token", End),
    ("tokens", End),
    ("tokenid", Run),
    ("tokenvalue", Run),
    ("jwt", Within),
    ("bearer", Joined),
    ("credential", Within),
    ("auth", End),
    ("authorization", Within),
    ("authentication", Joined),
    ("authcode", Run),
    ("authdata", Run),
    ("authheader", Run),
    ("codeverifier", Joined),
    ("clientassertion", Joined),
    ("samlresponse", Joined),
    ("connectionstring", Within),
    ("connstring", Joined),
    ("dsn", Part),
    // Keys.
    ("apikey", Within),
    ("accountkey", Joined),
    ("accesskey", Within),
    ("privatekey", Within),
    ("secretkey", Within),
    ("signingkey", Within),
    ("encryptionkey", Within),
    ("authkey", Run),
    ("functionskey", Joined),
    ("hmackey", Joined),
    ("masterkey", Joined),
    ("privkey", Joined),
    ("rapidapikey", Joined),
    ("sharedkey", Joined),
    ("sshkey", Joined),
    ("subscriptionkey", Joined),
    // Sessions and forgery protection.
    ("session", Part),
    ("sessionid", Within),
    ("sessid", Within),
    ("sessiondata", Run),
    ("sessionkey", Run),
    ("usersession", Run),
    ("sid", Part),
    ("cookie", End),
    ("cookies", End),
    ("cookievalue", Run),
    ("csrf", Within),
    ("xsrf", Within),
    // Second factors.
    ("otp", Part),
    ("totp", Part),
    ("hotp", Part),
    ("otpcode", Run),
    ("smsotp", Run),
    ("pin", Part),
    ("pincode", Run),
    ("pinnumber", Run),
    ("cardpin", Run),
    ("userpin", Run),
    ("newpin", Run),
    ("oldpin", Run),
    ("mfa", Part),
    ("mfacode", Run),
    ("2fa", Joined),
    // Numbers of people, cards and accounts.
    ("ssn", Part),
    ("socialsecurity", Joined),
    ("socialsecuritynumber", Joined),
    ("jumin", Within),
    ("rrn", Part),
    ("residentnumber", Joined),
    ("residentregistrationnumber", Joined),
    ("주민번호", Within),
    ("주민등록번호", Within),
    ("cvv", Part),
    ("cvvcode", Run),
    ("cvc", Part),
    ("cvccode", Run),
    ("ccv", Part),
    ("securitycode", Joined),
    ("cardnumber", Within),
    ("cardnum", Joined),
    ("cardno", Joined),
    ("ccnumber", Joined),
    ("ccnum", Joined),
    ("creditcard", Joined),
    ("카드번호", Within),
    ("iban", Part),
    ("accountnumber", Within),
    ("accountnum", Joined),
    ("accountno", Joined),
    ("acctnumber", Joined),
    ("acctno", Joined),
    ("계좌번호", Within),
    // Signed requests; `x-amz-…` and `x-goog-…` whatever follows.
    ("signature", End),
    ("sig", Part),
    ("xamz", Joined),
    ("xgoog", Joined),
];

/// Words that hold a word of the list above and are no secret. They count where they begin a part.
pub(super) const INNOCENT: &[&str] = &[
    "allowcredentials", // access-control-allow-credentials: true or nothing
    "possessionid",
    "obsessionid",
    "tokencount",
    "tokentype",
    "maxtokens",
    "mintokens",
    "totaltokens",
    "inputtokens",
    "outputtokens",
    "prompttokens",
    "completiontokens",
];
