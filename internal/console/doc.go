// Package console is the pages for people: what is wrong, since when and why, what
// changed, and what each resource looked like at any time.
//
// It reads the store through the core, as the commands do, and knows nothing of
// AWS's protocols. Each view is a file here with a folder of templates beside it;
// what a page shows is in its address, so that a link shows the same thing next
// year. Pages are plain HTML and work without scripts, which add keys and speed.
// In server mode it asks who somebody is, shows that account alone, and changes
// nothing.
//
// It keeps who is logged in and, in development mode, the rules that are being written
// at its bench.
//
//	http.Serve(listener, console.New(console.Options{...}))
package console
