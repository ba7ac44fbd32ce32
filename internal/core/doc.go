// Package core is the machine without API packages in front: what is kept, the
// verbs that work on it, and who reacts to what. A server, a benchmark and a
// command all use this one.
//
// Two files are the picture of the product. machine.go says what there is and
// what works with what; reactions.go says who reacts to what. What a verb decides
// stands in the verb's package; here stands only who is handed to whom. It keeps
// nothing itself.
//
//	m, err := core.New(ctx, log, core.Options{...})
//	err = m.Start(ctx) // runs jobs
//	defer m.Close()
//	err = m.Recorder.Record(ctx, place, items)
package core
