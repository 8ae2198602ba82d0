//! What hoplog's tests share: scenarios, raw sockets, scripted servers, a real collector on a free port.
