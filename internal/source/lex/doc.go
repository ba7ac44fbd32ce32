// Package lex is the embedded Lex V1 and V2: bots with intents, slots and slot types,
// and conversations with them in text.
//
// It is not Lex's API: api/lexmodels, api/lexruntime, api/lexv2models and
// api/lexv2runtime speak that. It learns nothing: what a user says is matched with the
// sample utterances as patterns. It stores lex_resources and lex_v1, each as Lex's API
// was told it, and lex_sessions.
//
// A bot of V1 is read as one of V2 that has one language: what is its own, the kept
// parts, the events of its functions and its way to ask again, is in the files first*.go.
//
// A turn reads the session and the bot, decides what comes next, asks the function of
// the alias where an intent says so, and writes the session if no other turn did
// meanwhile. What a dialog does is in dialog.go, the function's event in hook.go.
//
//	b := lex.New(log, d, functions, clk.Now)
//	answer, err := b.Recognize(ctx, lex.Address{Place: p, Bot: "ABCDEFGHIJ", Alias: "TSTALIASID", Locale: "en_US", Session: "s"}, lex.Turn{Text: "hello"})
package lex
