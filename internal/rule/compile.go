package rule

import "errors"

// ErrNoEvaluator says that a rule is known and that Plumb cannot evaluate it.
var ErrNoEvaluator = errors.New("no evaluator")
