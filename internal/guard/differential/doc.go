// Package differential holds no code of the program: its tests run the original,
// cloudformation-guard's WebAssembly build, beside package guard on generated rules
// and documents, and compare every step of the two evaluations.
//
// They run where PLUMB_GUARD_FIXTURES names a checkout of the original and node is
// installed. PLUMB_GUARD_ROUNDS is how many pairs are generated.
package differential
