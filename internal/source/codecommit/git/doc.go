// Package git is git as a server of repositories needs it: objects, packs, and what
// clients and servers say to each other over HTTP. It keeps nothing: objects are read
// from a Source and handed back to whoever keeps them.
//
// It speaks the protocol's version 0, which every client falls back to, with shallow
// clones. Packs that it reads may be thin and have deltas; those that it writes have none,
// as objects are kept compressed the way packs have them.
//
//	objects, err := git.ReadPack(body, limits, source)
//	err = git.Check(objects, source)
package git
