//! The logger's macros: as its methods, with the module and the function that speak.

/// Begins an entry of any level: `entry!(client, level, "message {captured}", name = value, "other.name" = value)`.
/// It is an [`EntryBuilder`](crate::EntryBuilder) still, for an error or a condition; nothing is written before its
/// `send()`. Unlike a method's, its module and function are known; message and values are looked at only if the
/// entry is taken.
///
/// ```
/// # let capture = hoplog::testing::capture();
/// # let client = capture.client();
/// let error = std::io::Error::other("disk on fire");
/// hoplog::entry!(client, hoplog::Level::Warn, "cannot save {}", "a.txt", attempt = 2).error(&error).send();
/// # assert_eq!(capture.entries()[0]["message"], "cannot save a.txt");
/// ```
#[macro_export]
macro_rules! entry {
    ($client:expr, $level:expr, $message:literal $($rest:tt)*) => {{
        fn __hoplog_here() {}
        let module = ::core::module_path!();
        let origin = $crate::Origin::new(module).file(::core::file!(), ::core::line!());
        let function = || $crate::__function_of(&__hoplog_here, module);
        $crate::__entry!(@split ($client, $level, origin, function, $message) () $($rest)*)
    }};
}

/// Tells the message's arguments from fields: a field is `name = value` or `"name" = value`.
#[doc(hidden)]
#[macro_export]
macro_rules! __entry {
    (@split $head:tt ($($args:tt)*) , $name:ident = $($rest:tt)*) => {
        $crate::__entry!(@fields $head ($($args)*) () , $name = $($rest)*)
    };
    (@split $head:tt ($($args:tt)*) , $name:literal = $($rest:tt)*) => {
        $crate::__entry!(@fields $head ($($args)*) () , $name = $($rest)*)
    };
    (@split $head:tt ($($args:tt)*) , $arg:expr $(, $($rest:tt)*)?) => {
        $crate::__entry!(@split $head ($($args)* , $arg) $(, $($rest)*)?)
    };
    (@split $head:tt ($($args:tt)*) $(,)?) => {
        $crate::__entry!(@fields $head ($($args)*) ())
    };
    (@fields $head:tt $args:tt ($($fields:tt)*) , $name:ident = $value:expr $(, $($rest:tt)*)?) => {
        $crate::__entry!(@fields $head $args ($($fields)* (::core::stringify!($name), $value)) $(, $($rest)*)?)
    };
    (@fields $head:tt $args:tt ($($fields:tt)*) , $name:literal = $value:expr $(, $($rest:tt)*)?) => {
        $crate::__entry!(@fields $head $args ($($fields)* ($name, $value)) $(, $($rest)*)?)
    };
    (@fields ($client:expr, $level:expr, $origin:ident, $function:ident, $message:literal) ($($args:tt)*)
     ($(($name:expr, $value:expr))*) $(,)?) => {{
        let entry = $client.__log($level, $origin, $function, ::core::format_args!($message $($args)*));
        if entry.is_taken() { entry$(.field($name, $value))* } else { entry }
    }};
}

macro_rules! level_macros {
    ($dollar:tt $($name:ident, $level:ident, $what:literal;)+) => {$(
        #[doc = concat!("Sends an entry of level `", stringify!($level), "`: ", $what, ". See [`entry!`](crate::entry).")]
        ///
        /// ```
        /// # let capture = hoplog::testing::capture();
        /// # let client = capture.client();
        /// let order = 42;
        #[doc = concat!("hoplog::", stringify!($name), "!(client, \"order {order} placed\", total = 9.5, \"customer.id\" = 7);")]
        /// # assert_eq!(capture.entries()[0]["metadata"]["customer.id"], 7);
        /// ```
        #[macro_export]
        macro_rules! $name {
            ($dollar client:expr, $dollar($dollar entry:tt)+) => {
                $crate::entry!($dollar client, $crate::Level::$level, $dollar($dollar entry)+).send()
            };
        }
    )+};
}

level_macros! { $
    trace, Trace, "steps of an algorithm";
    debug, Debug, "for the developer at work";
    info, Info, "normal operation";
    warn, Warn, "unusual, handled";
    error, Error, "something failed";
    fatal, Fatal, "the process cannot go on";
}
