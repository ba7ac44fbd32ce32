package velocity

// A Template is a text that was parsed.
type Template struct{ nodes []node }

// A node is a part of a template.
type node interface{ run(x *execution) error }

type (
	text      string
	reference struct {
		name   string
		steps  []step
		source string // what is written if it means nothing
		quiet  bool
	}
	set struct {
		target *reference
		value  expression
	}
	branch struct {
		conditions []expression // one fewer than bodies if there is an #else
		bodies     [][]node
	}
	loop struct {
		name string
		over expression
		body []node
	}
	exit struct{}
)

// A step follows a reference: a property, a method or an index.
type step struct {
	name  string
	call  bool
	args  []expression
	index expression
}

// An expression has a value.
type expression interface {
	eval(x *execution) (any, error)
}

type (
	literal      struct{ value any }
	interpolated struct{ nodes []node }
	list         struct{ items []expression }
	span         struct{ from, to expression }
	dictionary   struct{ keys, values []expression }
	unary        struct {
		op string
		of expression
	}
	binary struct {
		op          string
		left, right expression
	}
)
