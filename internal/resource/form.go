package resource

import "time"

// A form is the first document of a file of resources/: how resources of a type are read. The second has its examples,
// which a running program does not decode.
type form struct {
	Type          string          `yaml:"type"`
	Service       string          `yaml:"service"` // the file of the service's model
	Global        bool            `yaml:"global"`  // awsRegion is "global"
	Beyond        bool            `yaml:"beyond"`  // AWS Config does not record the type; rules judge it all the same
	Poll          time.Duration   `yaml:"poll"`    // between two readings; 0: as the settings say
	Parents       []call          `yaml:"parents"` // what the resources are in, outermost first; the list is read in each
	List          call            `yaml:"list"`
	One           *call           `yaml:"one"`    // reads a single resource by its id; without it the list is read
	Exists        *call           `yaml:"exists"` // asks for a single resource by id, name or arn, where One cannot say that it is gone
	Calls         []call          `yaml:"calls"`
	Identity      identity        `yaml:"identity"`
	Tags          *expression     `yaml:"tags"`
	Configuration body            `yaml:"configuration"`
	Supplementary map[string]body `yaml:"supplementary"`
	Relationships []relation      `yaml:"relationships"`

	file string
}

// A call is one operation. List and One name their resources with Each; the calls after them are made for each resource
// and their answers are in its document under As.
type call struct {
	As      string              `yaml:"as"`
	Service string              `yaml:"service"` // another one than the type's
	Call    string              `yaml:"call"`
	With    template            `yaml:"with"`
	Each    *expression         `yaml:"each"`
	Expect  *expression         `yaml:"expect"`  // must be true of every answer: what a real one always has
	JSON    []string            `yaml:"json"`    // members whose text must be a JSON object
	Bare    bool                `yaml:"bare"`    // an answer may have nothing in it: the service leaves out what is not there
	Whole   bool                `yaml:"whole"`   // all pages are one answer: what an item leads to may be on another page
	When    *expression         `yaml:"when"`    // false: the call is not made
	Keep    *expression         `yaml:"keep"`    // false after the call: the resource belongs to another place
	Missing map[string]template `yaml:"missing"` // error code: the answer that it stands for
	Gone    []string            `yaml:"gone"`    // error codes that say the resource does not exist
	Off     []string            `yaml:"off"`     // of the list: error codes that say that the account does not use the service, so that there is none
	Ended   *expression         `yaml:"ended"`   // true: the answer has the resource and says that it is no more
}

// An identity is texts with {expressions} in them.
type identity struct {
	ID      template `yaml:"id"`
	Name    template `yaml:"name"`
	ARN     template `yaml:"arn"`
	AZ      template `yaml:"az"`
	Created template `yaml:"created"`
}

// A body says where a configuration comes from and how it is spelled.
type body struct {
	Value    *expression `yaml:"value"`    // none: the resource as it was listed
	Shape    string      `yaml:"shape"`    // of the service's model; none: the value is spelled already
	Keys     string      `yaml:"keys"`     // bean, jackson, pascal or same
	Unset    string      `yaml:"unset"`    // what members without a value become: null or omit
	Drop     []string    `yaml:"drop"`     // members, by the model's name, that are left out at the top
	Blank    []string    `yaml:"blank"`    // members at any depth that count as unset: they change without anyone changing them
	Integers []string    `yaml:"integers"` // members at the top whose text is a number

	Rename  map[string]string      `yaml:"rename"`  // members at the top, by the model's name, that have another name in items
	Respell map[string]string      `yaml:"respell"` // members at any depth, by the model's name, whose spelling follows no rule
	Add     map[string]*expression `yaml:"add"`     // members at the top that the value does not have, spelled already

	Steps []string `yaml:"steps"` // named steps, for what a form cannot say
	Text  bool     `yaml:"text"`  // the value is recorded as JSON text
}

// A relation is one kind of relationship that items of the type list.
type relation struct {
	Type    string      `yaml:"type"`
	Name    string      `yaml:"name"`
	To      *expression `yaml:"to"`      // ids, or objects with id and name
	Inverse string      `yaml:"inverse"` // what the other resource's item calls it, where it lists it
}

// An Example is recorded answers and the items they make. It is a test, and shows a reader what the form means.
type Example struct {
	Name    string     `yaml:"name"`
	Answers []Recorded `yaml:"answers"`
	Items   []any      `yaml:"items"` // in the event form, without what the recorder adds
}

// A Recorded answer is what a service answered to one call: the body as it came, or the code of an error. Answers to one
// operation are given in their order, the last one again when there are no more; With tells them apart where the order is
// not enough.
type Recorded struct {
	Call  string            `yaml:"call"`
	With  map[string]string `yaml:"with,omitempty"` // members of the input
	Error string            `yaml:"error,omitempty"`
	Body  string            `yaml:"body,omitempty"`
}
