//! Both sides of the line, name by name.

use super::*;

const NONE: &[&str] = &[];
const NO_SECRETS: &[(&str, Treatment)] = &[];

/// Names, separated by commas.
const SECRETS: &str = "
    authorization, Authorization, proxy-authorization, x-forwarded-authorization, cookie, set-cookie,
    Set-Cookie2, x-api-key, X-API-Key, x-auth-token, x-access-token, x-amz-security-token,
    x-amz-credential, X-Amz-Signature, x-amz-date, x-goog-signature, X-Goog-Credential, x-csrf-token,
    x-xsrf-token, x-vault-token, x-gitlab-token, private-token, x-hub-signature-256, stripe-signature,
    cf-access-jwt-assertion, x-amzn-oidc-accesstoken, x-rapidapi-key, ocp-apim-subscription-key,
    x-session-id, x-otp, x-pin-code, auth, x-auth, password, passwd, passphrase, pass, pwd, PASSWORD,
    Password, passWord, pass_word, pAsSwOrD, newPassword, newpassword2, new_password_confirmation,
    userpassword, user.password_hash, user[password], user[passwd], users[0][pwd], db_pass, mysql_pwd,
    mysqlpwd, passcode, secret, client_secret, clientSecret, clientsecret, app-secrets, secretAccessKey,
    aws_secret_access_key, token, accesstoken, access_token, accessToken, ACCESS_TOKEN, refresh-token,
    id_token, idToken, csrfmiddlewaretoken, xsrftoken, __RequestVerificationToken, tokens, token2,
    deviceTokenId, jwt, userJWT, bearer, oauth, oauth2, oauth_verifier, basicauth, auth.code, api_key,
    apiKey, apikey, APIKEY, APIKey, ApiKey, api.key, api key, myapikey, access_key, AWSAccessKeyId,
    awsaccesskeyid, privateKey, private_key_pem, signingkey, credential, credentials, userCredentials,
    session, session_id, sessionid, SessionID, jsessionid, JSESSIONID, PHPSESSID, phpsessid,
    ASP.NET_SessionId, ASPSESSIONIDQQRTSBCA, connect.sid, sid, SID, userSid, csrf, XSRF-TOKEN, _csrf,
    otp, otp_code, totp, 2fa, 2fa_code, mfaCode, pin, PIN, pIn, userPin, pin[0], ssn, user_ssn,
    socialSecurityNumber, jumin, juminNo, jumin_number, userjumin, rrn, user-rrn,
    resident_registration_number, 주민번호, 주민등록번호, user[비밀번호], 비밀번호확인, 카드번호, 계좌번호, cvv, cvv2, cvc, ccv,
    cardCvc, card_number, card[number], cardNumber, cardnumber, creditCardNo, cc-number, iban,
    accountNumber, bank_account_number, signature, Signature, sig, xgoogsignature, connectionString,
    SharedAccessSignature, dsn, sentry_dsn, saml_response, code_verifier
";

const INNOCENTS: &str = "
    -, a, accept, accept-encoding, access-control-allow-credentials, access-control-allow-origin,
    accesslog, account, account_id, accounts, address, api, api_version, assess, assessment, assign,
    author, author_id, authority, authorName, authors, bearing, betray, bypass, card, cardinality,
    card_type, category, class, compass, compassion, completion_tokens, consider,
    content-security-policy, content-type, cookiebanner, country, coauthored, created_at, cursor,
    description, design, designer, device_id, encompass, etag, fields[articles], filter[status],
    hotpink, id, ids, idempotency-key, if-none-match, insider, inside, isbn, key, keyboard, keys,
    keyword, lang, limit, lessons, location, max_tokens, maxTokens, mission, monkey, monkeys, name,
    obsession, offset, opinion, order_id, origin, outside, page, page_size, pagination, passage,
    passenger, passengers[0][name], passing, passive, passport_country, path, pinterest, pinned,
    position, possession, possessionId, possessionid, president, primary_key, prompt_tokens, q, range,
    referer, residence, residents, s_id, p_in, sale_price, secretariat, secretary, sec-fetch-site,
    sessions, shipping, side, sidebar, signal, signed_up, significant, size, skip, snippet, sort,
    sort_key, spin, spinner, status, strict-transport-security, surpass, time, timestamp, tokenize,
    tokenizer, token_type, total_tokens, traceparent, translation, trespass, typing, user, user_id,
    user-agent, username, utm_source, v2, version, www-authenticate, x-amzn-trace-id, x-forwarded-for,
    x-real-ip, x-request-id, zip
";

fn names(table: &'static str) -> Vec<&'static str> {
    table.split(',').map(str::trim).collect()
}

#[test]
fn secret_names_are_known_in_all_their_spellings() {
    let rules = NameRules::new(NO_SECRETS, NONE);
    let names = names(SECRETS);
    let missed: Vec<_> = names.iter().filter(|n| !rules.is_secret(n.as_bytes())).collect();
    assert_eq!(missed, Vec::<&&str>::new());
    assert!(names.len() >= 80);
}

#[test]
fn innocent_names_are_left_alone_though_secret_words_hide_in_them() {
    let rules = NameRules::new(NO_SECRETS, NONE);
    let names = names(INNOCENTS);
    let hit: Vec<_> = names.iter().filter(|n| rules.is_secret(n.as_bytes())).collect();
    assert_eq!(hit, Vec::<&&str>::new());
    assert!(names.len() >= 80 && !rules.is_secret(b""));
}

#[test]
fn every_built_in_word_is_found_and_stands_once() {
    let rules = NameRules::new(NO_SECRETS, NONE);
    let mut seen = std::collections::HashSet::new();
    for (word, _) in SECRET {
        assert!(rules.decide(word.as_bytes()).is_some(), "{word}");
        assert!(seen.insert(word), "{word} stands twice");
        assert_eq!(normal_form(word).as_deref(), Some(word.as_bytes()), "in lower case, two letters or more");
    }
    for word in INNOCENT {
        assert!(rules.decide(word.as_bytes()).is_none(), "{word}");
    }
}

#[test]
fn a_name_too_long_to_be_one_is_secret() {
    let rules = NameRules::new(NO_SECRETS, NONE);
    assert!(!rules.is_secret(&[b'x'; 128]));
    assert!(rules.is_secret(&[b'x'; 129]));
}

#[test]
fn added_words_match_as_parts_and_not_inside_of_others() {
    let rules = NameRules::new(&[("Kunden-Nummer", Treatment::Mask), ("통장", Treatment::Mask)], NONE);
    for name in ["kundennummer", "kunden_nummer", "X-Kundennummer", "alteKundenNummer", "통장", "my_통장"]
    {
        assert!(rules.is_secret(name.as_bytes()), "{name}");
    }
    for name in ["kundennummernkreis", "kunden", "nummer"] {
        assert!(!rules.is_secret(name.as_bytes()), "{name}");
    }
    assert!(rules.is_secret(b"password"), "the built-in words stay");
}

#[test]
fn words_taken_out_free_what_they_cover_and_no_more() {
    let rules = NameRules::new(NO_SECRETS, &["pin", "session_count", "auth"]);
    for name in ["pin", "userPin", "sessionCount", "X-Session-Count", "auth", "x-auth"] {
        assert!(!rules.is_secret(name.as_bytes()), "{name}");
    }
    for name in ["pincode", "session", "session_id", "oauth", "authorization", "pin_password", "auth-token"] {
        assert!(rules.is_secret(name.as_bytes()), "{name}");
    }
}

#[test]
fn two_sets_of_rules_on_one_thread_do_not_answer_for_each_other() {
    let (plain, strict) =
        (NameRules::new(NO_SECRETS, NONE), NameRules::new(&[("color", Treatment::Mask)], &["token"]));
    for _ in 0..3 {
        assert_eq!((plain.is_secret(b"color"), strict.is_secret(b"color")), (false, true));
        assert_eq!((plain.is_secret(b"token"), strict.is_secret(b"token")), (true, false));
    }
}

#[test]
fn what_is_remembered_is_what_was_decided() {
    let rules = NameRules::new(NO_SECRETS, NONE);
    // More names than there are slots, some of them prefixes of others.
    for round in 0..2 {
        for name in names(SECRETS).iter().chain(&names(INNOCENTS)) {
            assert_eq!(rules.treatment(name.as_bytes()), rules.decide(name.as_bytes()), "{name}, {round}");
        }
    }
}

#[test]
fn words_that_cannot_be_matched_are_none() {
    for word in ["", "x", "-", "x-", "…"] {
        assert_eq!(is_word(word), word == "…", "{word}");
    }
    assert!(!is_word(&"x".repeat(129)));
    let rules =
        NameRules::new(&[("", Treatment::Mask), ("x", Treatment::Mask), ("-", Treatment::Mask)], &["", "y"]);
    assert!(!rules.is_secret(b"x"));
}
