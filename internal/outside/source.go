package outside

import (
	"context"
	"iter"
	"slices"
	"time"

	"plumb/internal/awsclient"
	"plumb/internal/config"
	"plumb/internal/resource"
)

// A Source reads resources for the recorder: from a place's target, or from the
// services embedded here, through the same client and the same catalogue.
type Source struct {
	catalogue *resource.Catalogue
	clients   *Clients
	embedded  *Embedded
}

// NewSource returns the source of a catalogue's types.
func NewSource(c *resource.Catalogue, clients *Clients, e *Embedded) *Source {
	return &Source{c, clients, e}
}

// embeddedTypes are those whose services are served here; they announce their
// changes themselves.
func embeddedTypes() []string {
	return []string{
		"AWS::IAM::Group", "AWS::IAM::Policy", "AWS::IAM::Role", "AWS::IAM::User",
		"AWS::Lambda::Function", "AWS::S3::Bucket", "AWS::SNS::Topic", "AWS::SQS::Queue",
	}
}

func (s *Source) hasTarget(p config.Place) bool {
	return s.clients.settings.Place(p.Account, p.Region).Target != ""
}

// Types returns what can be read in a place.
func (s *Source) Types(p config.Place) []string {
	if !s.hasTarget(p) {
		return embeddedTypes()
	}
	var types []string
	for _, info := range s.catalogue.Types() {
		types = append(types, info.Type)
	}
	return types
}

// Announces reports whether changes are told as they happen.
func (s *Source) Announces(p config.Place, resourceType string) bool {
	return !s.hasTarget(p) && slices.Contains(embeddedTypes(), resourceType)
}

// Related returns what an item leads to and what gets an item when that begins or
// ends.
func (s *Source) Related(it config.Item) []config.ResourceKey { return s.catalogue.Related(it) }

// Inverse returns how items of a type list what leads to them.
func (s *Source) Inverse(resourceType string) map[string]string {
	return s.catalogue.Inverse(resourceType)
}

// Needs returns the types that must be read as well for a type's relationships.
func (s *Source) Needs(resourceType string) []string { return s.catalogue.Needs(resourceType) }

// Interval returns how long after a reading of a type the next one is due; 0
// where its file does not say it and the settings do.
func (s *Source) Interval(resourceType string) time.Duration {
	info, _ := s.catalogue.Info(resourceType)
	return info.Poll
}

// Discover reads every resource of a type and yields them in pages.
func (s *Source) Discover(ctx context.Context, p config.Place, resourceType string) iter.Seq2[[]config.Item, error] {
	c, err := s.client(ctx, p)
	if err != nil {
		return func(yield func([]config.Item, error) bool) { yield(nil, err) }
	}
	return s.catalogue.Discover(ctx, c, p, resourceType)
}

// Gone asks whether a resource is gone that a list lacks.
func (s *Source) Gone(ctx context.Context, last config.Item) (bool, error) {
	c, err := s.client(ctx, last.Place)
	if err != nil {
		return false, err
	}
	return s.catalogue.Gone(ctx, c, last)
}

// Describe reads one resource.
func (s *Source) Describe(ctx context.Context, key config.ResourceKey) (config.Item, bool, error) {
	c, err := s.client(ctx, key.Place)
	if err != nil {
		return config.Item{}, false, err
	}
	return s.catalogue.Describe(ctx, c, key)
}

func (s *Source) client(ctx context.Context, p config.Place) (*awsclient.Client, error) {
	c, err := s.clients.Target(ctx, p)
	if c == nil && err == nil {
		c = s.embedded.Client(p)
	}
	return c, err
}
