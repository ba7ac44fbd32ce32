// Package pattern is the language of event patterns: which events a rule of
// EventBridge takes, which records an event source mapping of Lambda hands on.
//
//	p, err := pattern.Parse(`{"source": ["aws.config"], "detail": {"size": [{"numeric": [">", 10]}]}}`)
//	e, err := pattern.ParseEvent(event)
//	if p.Matches(e) {
//		...
//	}
//
// It parses, checks and compares, and keeps nothing. It knows neither rules nor
// mappings. The error of Parse is EventBridge's reason, with its place in the
// text; how the reason is wrapped is the caller's:
//
//	EventBridge  InvalidEventPatternException, "Event pattern is not valid. Reason: " and the reason
//	Lambda       InvalidParameterValueException, "Invalid filter pattern definition."
//
// Lambda's filters are the same language. What differs is the event: the caller
// builds it, with the body or the data of a record as an object if that is JSON
// of an object, and as a string otherwise. A pattern of the one kind then never
// matches data of the other, which is what Lambda documents. The numbers of
// DynamoDB's items are strings, which numeric does not match.
//
// A pattern is a list of alternatives, which are the combinations of its $or. An
// alternative is a tree of names with conditions at its leaves. Names are split at
// their dots, in patterns and events, so that "a.b" means the same as b below a.
// Where the event has an array, one element of it must satisfy all that the
// pattern says below that name.
//
// The time of Matches is bounded by the product of the lengths of pattern and
// event, times the alternatives, of which there are 1,000 at the most. Wildcards
// read a text once.
//
// The contract is "Amazon EventBridge event patterns" and "content filtering" in
// the user guide. Where they are silent, it is what AWS's service was recorded to
// answer.
package pattern
