// Package settings holds the program's own options: where it listens, what it
// keeps its data in, whose resources it reads, and with which credentials.
//
// One table (table.go) defines them: the flags of the command, the PLUMB_*
// variables, the keys of the settings file and docs/settings.md are all made
// from it, so none of them can lack a setting. What is nearer wins: a flag over
// a variable over the file over the default.
//
// It reads the settings file and nothing else, keeps nothing, and does not know
// what the options do. "config" in this program always means AWS Config.
//
//	s, err := settings.Load(map[string]string{"listen": "127.0.0.1:0"}, os.LookupEnv)
package settings
