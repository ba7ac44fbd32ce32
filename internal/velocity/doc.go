// Package velocity is a subset of the Velocity Template Language, in which API Gateway's
// mapping templates are written. It knows nothing of API Gateway: what $input and $util
// are, its callers bring.
//
// It has text, references ($a, ${a}, $!a, with properties, methods and indexes), #set,
// #if, #elseif, #else, #foreach, #break, #end, comments, and expressions with strings,
// numbers, lists, ranges and maps. It has no macros, no #include, #parse and #evaluate,
// and no way to what is outside of its values. A template's size and depth, the steps of
// its execution and its output are bounded.
//
//	t, err := velocity.Parse(text)
//	out, err := t.Execute(map[string]any{"input": input}, velocity.Limits{Steps: 100_000, Output: 10 << 20})
//
// It keeps nothing.
package velocity
