// Package managed is the catalogue of AWS Config's managed rules: it knows all
// identifiers, checks their parameters, and judges configuration items with
// those that have a file in rules/.
//
// A rule is a YAML file (File): a check in CEL, and examples that are its tests.
// CEL is the usual language with these differences, so that a check reads like
// the sentence it means:
//
//   - A missing key is null, and any key of null is null: no path is an error.
//   - all, exists, exists_one, filter and map over null have nothing to visit.
//   - has(x) takes any expression and says that it is not null.
//   - parameters.NAME is typed as the rule's parameter. A String or CSV that was
//     not given is empty, any other kind is null.
//
// docs/how-to/managed-rule.md lists the functions.
//
// The package stores nothing and asks nobody: a verdict depends on the item and
// the parameters alone. An error is never a verdict.
//
//	c, err := managed.Load()
//	e, err := c.Evaluator("ENCRYPTED_VOLUMES", `{}`)
//	compliance, annotation, err := e.Evaluate(item)
package managed
