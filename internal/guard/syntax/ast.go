// Package syntax is Guard's rule language as text: Parse reads a rule file into a
// tree, and an Error says where and why it could not.
//
// It decides nothing about documents; that is package guard. It stores nothing,
// and a tree is not changed once it is read.
package syntax

import (
	"plumb/internal/guard/casing"
	"plumb/internal/guard/document"
)

// A File is one rule file.
type File struct {
	Name  string
	Lets  []Let
	Rules []*Rule // in the order in which they are evaluated; the clauses outside of rules come first
	Calls []*Rule // the rules with parameters
}

// DefaultRule is the name of the rule that holds the clauses outside of rules.
const DefaultRule = "default"

// A Rule is a named set of clauses.
type Rule struct {
	Name       string
	At         document.Pos
	Outside    bool // it holds the clauses outside of rules
	Parameters []string
	When       Conjunction // empty if the rule always applies
	Body       Block
}

// A Block is a conjunction with variables of its own.
type Block struct {
	Lets    []Let
	Clauses Conjunction
}

// A Conjunction holds if every line of it does. A line is a list of alternatives.
type Conjunction [][]Clause

// A Let names a value, a query's results or a function's.
type Let struct {
	Name  string
	At    document.Pos
	Value Operand
}

// A Clause is one of Check, Reference, Call, Each, When and TypeBlock.
type Clause interface {
	// Place is where the clause begins in its file.
	Place() document.Pos
}

// A Check is one comparison: Properties.Encrypted == true.
type Check struct {
	At      document.Pos
	Not     bool // "not" stands before the query
	Query   Query
	Op      Op
	OpNot   bool    // the operator itself is negated: != or !exists
	With    Operand // what it is compared with; nil for exists and the like
	Message *string // what stands between << and >>
}

// A Reference asks for the verdict of another rule.
type Reference struct {
	At      document.Pos
	Not     bool
	Rule    string
	Message *string
}

// A Call evaluates a rule that has parameters.
type Call struct {
	Reference
	Arguments []Operand
}

// An Each evaluates a block on every value that a query finds.
type Each struct {
	At       document.Pos
	Query    Query
	NotEmpty bool // finding nothing is a failure, not a skip
	Body     Block
}

// A When evaluates a block if a condition holds.
type When struct {
	At        document.Pos
	Condition Conjunction
	Body      Block
	InRule    bool // it stands directly in a rule
}

// A TypeBlock evaluates a block on every resource of a CloudFormation type.
type TypeBlock struct {
	At        document.Pos
	Type      string
	Condition Conjunction
	Body      Block
	Query     Query // finds the resources
}

// Place is where the clause begins.
func (c *Check) Place() document.Pos { return c.At }

// Place is where the clause begins.
func (c *Reference) Place() document.Pos { return c.At }

// Place is where the clause begins.
func (c *Each) Place() document.Pos { return c.At }

// Place is where the clause begins.
func (c *When) Place() document.Pos { return c.At }

// Place is where the clause begins.
func (c *TypeBlock) Place() document.Pos { return c.At }

// An Operand is one of *Literal, *Query and *Function.
type Operand interface{ operand() }

// A Literal is a value that is written in the rule.
type Literal struct{ Value *document.Value }

// A Function is a call of one of the built-in functions.
type Function struct {
	Name      string
	At        document.Pos
	Arguments []Operand
}

// A Query is a path into the document.
type Query struct {
	Parts []Part
	Some  bool // one match is enough
}

func (*Literal) operand()  {}
func (*Function) operand() {}
func (*Query) operand()    {}

// A PartKind is what a step of a path does.
type PartKind uint8

// The steps of a path.
const (
	This       PartKind = iota // this
	Key                        // .name
	Variable                   // %name
	Index                      // [3]
	AllIndices                 // [*] and [name]
	AllValues                  // .* and [ name ]
	Filter                     // [ clauses ]
	KeyFilter                  // [ keys == ... ]
)

// A Part is one step of a path.
type Part struct {
	Kind    PartKind
	Name    string // of a key or variable; else the variable that captures keys, or empty
	Index   int32
	Number  int32 // the key read as a position in a list, if IsNumber
	Numeric bool  // the key is a number
	Filter  Conjunction
	Op      Op // of a key filter: Equal or In
	OpNot   bool
	With    Operand

	Spellings [casing.Count]string // of a key
}

// An Op is a comparison.
type Op uint8

// The comparisons. From Exists on they look at one value only.
const (
	Equal Op = iota
	In
	Greater
	Less
	LessEqual
	GreaterEqual
	Exists
	Empty
	IsString
	IsList
	IsStruct
	IsBool
	IsInt
	IsFloat
	IsNull
)

// Unary tells whether the comparison looks at one value only.
func (o Op) Unary() bool { return o >= Exists }
