package model

// An API is the description of one AWS service. After Load every reference is resolved, and the description is shared
// and must not be changed.
type API struct {
	Name       string                // the file's name: "config"
	Metadata   Metadata              `json:"metadata"`
	Operations map[string]*Operation `json:"operations"`
	Shapes     map[string]*Shape     `json:"shapes"`
}

// Metadata is what holds for a whole service.
type Metadata struct {
	APIVersion       string   `json:"apiVersion,omitempty"`
	EndpointPrefix   string   `json:"endpointPrefix,omitempty"`
	GlobalEndpoint   string   `json:"globalEndpoint,omitempty"`
	Protocol         string   `json:"protocol,omitempty"` // json, query, ec2, rest-json, rest-xml
	JSONVersion      string   `json:"jsonVersion,omitempty"`
	ServiceFullName  string   `json:"serviceFullName,omitempty"`
	ServiceID        string   `json:"serviceId,omitempty"`
	SignatureVersion string   `json:"signatureVersion,omitempty"`
	SigningName      string   `json:"signingName,omitempty"` // empty: EndpointPrefix
	TargetPrefix     string   `json:"targetPrefix,omitempty"`
	XMLNamespace     string   `json:"xmlNamespace,omitempty"`
	QueryCompatible  bool     `json:"queryCompatible,omitempty"` // a JSON service that speaks awsQuery to old clients
	Protocols        []string `json:"protocols,omitempty"`
	Source           string   `json:"source,omitempty"` // what the description was made of, with its version

	// Set by patches: how the service words what its own model does not say.
	ValidationCode string `json:"validationCode,omitempty"` // empty: ValidationException
	MissingCode    string `json:"missingCode,omitempty"`    // empty: as other constraint failures
	MalformedCode  string `json:"malformedCode,omitempty"`  // empty: SerializationException
	ShapePackage   string `json:"shapePackage,omitempty"`   // how a structure prints: com.amazonaws.starling.dove
	ListNotNull    bool   `json:"listNotNull,omitempty"`    // list constraints end in "Member must not be null"
	NoNUL          bool   `json:"noNUL,omitempty"`          // texts with U+0000 are refused
}

// Signing is the service name in a signature's credential scope.
func (m Metadata) Signing() string {
	if m.SigningName != "" {
		return m.SigningName
	}
	return m.EndpointPrefix
}

// An Operation is one call of an API. Input and Output are nil where the model names none.
type Operation struct {
	Name            string     `json:"-"`
	Method          string     `json:"method"`
	URI             string     `json:"uri"`
	Status          int        `json:"status,omitempty"` // 0: 200
	Input           *Ref       `json:"input,omitempty"`
	Output          *Ref       `json:"output,omitempty"`
	Errors          []string   `json:"errors,omitempty"`
	Paginator       *Paginator `json:"paginator,omitempty"`
	AuthType        string     `json:"authType,omitempty"` // "none": unsigned
	HostPrefix      string     `json:"hostPrefix,omitempty"`
	UnsignedPayload bool       `json:"unsignedPayload,omitempty"`
	NeedsChecksum   bool       `json:"needsChecksum,omitempty"` // the body must carry Content-MD5 or a checksum
	Deprecated      bool       `json:"deprecated,omitempty"`

	// Root is set by patches: the root element of an answer in XML, where no name in the model says it.
	Root string `json:"root,omitempty"`
}

// A Ref is a use of a shape, with what the use adds to it.
type Ref struct {
	ShapeName       string        `json:"shape"`
	Shape           *Shape        `json:"-"`
	LocationName    string        `json:"locationName,omitempty"`
	Location        string        `json:"location,omitempty"` // uri, querystring, header, headers, statusCode
	QueryName       string        `json:"queryName,omitempty"`
	ResultWrapper   string        `json:"resultWrapper,omitempty"`
	Flattened       bool          `json:"flattened,omitempty"`
	Streaming       bool          `json:"streaming,omitempty"`
	XMLAttribute    bool          `json:"xmlAttribute,omitempty"`
	XMLNamespace    *XMLNamespace `json:"xmlNamespace,omitempty"`
	JSONValue       bool          `json:"jsonvalue,omitempty"`
	TimestampFormat string        `json:"timestampFormat,omitempty"`
	Idempotency     bool          `json:"idempotencyToken,omitempty"`
	HostLabel       bool          `json:"hostLabel,omitempty"`
	EventPayload    bool          `json:"eventpayload,omitempty"`
	EventHeader     bool          `json:"eventheader,omitempty"`

	// Open is set by patches: values outside the enum that match this pattern are taken.
	Open string `json:"open,omitempty"`
}

// An XMLNamespace is written on the element of a shape or a member.
type XMLNamespace struct {
	URI    string `json:"uri,omitempty"`
	Prefix string `json:"prefix,omitempty"`
}

// A Member is a field of a structure, in the order of the model.
type Member struct {
	Name string `json:"name"`
	Ref
}

// A Shape is a type. Type is one of structure, list, map, string, integer, long, float, double, boolean, blob, timestamp.
type Shape struct {
	Name            string        `json:"-"`
	Type            string        `json:"type"`
	Required        []string      `json:"required,omitempty"`
	Members         []*Member     `json:"members,omitempty"`
	Member          *Ref          `json:"member,omitempty"`
	Key             *Ref          `json:"key,omitempty"`
	Value           *Ref          `json:"value,omitempty"`
	Flattened       bool          `json:"flattened,omitempty"`
	Min             *float64      `json:"min,omitempty"`
	Max             *float64      `json:"max,omitempty"`
	Pattern         string        `json:"pattern,omitempty"`
	Matches         string        `json:"matches,omitempty"` // set by patches: what to match instead of Pattern
	Enum            []string      `json:"enum,omitempty"`
	Payload         string        `json:"payload,omitempty"`
	LocationName    string        `json:"locationName,omitempty"`
	XMLNamespace    *XMLNamespace `json:"xmlNamespace,omitempty"`
	TimestampFormat string        `json:"timestampFormat,omitempty"`
	Streaming       bool          `json:"streaming,omitempty"`
	EventStream     bool          `json:"eventstream,omitempty"`
	Event           bool          `json:"event,omitempty"`
	Union           bool          `json:"union,omitempty"`
	Document        bool          `json:"document,omitempty"`
	Sensitive       bool          `json:"sensitive,omitempty"`
	Exception       bool          `json:"exception,omitempty"`
	Fault           bool          `json:"fault,omitempty"`
	Error           *ErrorTrait   `json:"error,omitempty"`
}

// An ErrorTrait says how an exception travels. QueryCode is for JSON services that also speak awsQuery.
type ErrorTrait struct {
	Code           string `json:"code,omitempty"`
	QueryCode      string `json:"queryCode,omitempty"`
	HTTPStatusCode int    `json:"httpStatusCode,omitempty"`
	SenderFault    bool   `json:"senderFault,omitempty"`
}

// A Paginator says how pages follow each other. The lists are parallel: OutputToken[i] of one answer is the next
// request's InputToken[i]. Tokens and result keys are JMESPath expressions, almost always a plain member name.
type Paginator struct {
	InputToken  []string `json:"inputToken,omitempty"`
	OutputToken []string `json:"outputToken,omitempty"`
	LimitKey    string   `json:"limitKey,omitempty"`
	ResultKey   []string `json:"resultKey,omitempty"`
	MoreResults string   `json:"moreResults,omitempty"`
}

// Lookup finds a member by its name in the model, case and all.
func (s *Shape) Lookup(name string) *Member {
	for _, m := range s.Members {
		if m.Name == name {
			return m
		}
	}
	return nil
}

// IsRequired says whether the structure demands the member.
func (s *Shape) IsRequired(member string) bool {
	for _, r := range s.Required {
		if r == member {
			return true
		}
	}
	return false
}
