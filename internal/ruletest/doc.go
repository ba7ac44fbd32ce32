// Package ruletest runs the tests of rules: those of plumb-test.yaml, the trials
// beside policies in Guard, the examples in files like those of rules/.
//
//	suites, err := ruletest.Collect([]string{"my-rules"}, ruletest.Options{})
//	cases := ruletest.Run(ctx, suites, ruletest.Options{Workers: 2})
//
// A function runs as a real process on a throw-away server and calls
// PutEvaluations as it would anywhere; docs/how-to/rule-test.md describes the
// files. The package stores nothing.
package ruletest
