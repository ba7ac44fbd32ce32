package lambda

import (
	"context"
	"strings"
	"time"

	"plumb/internal/arn"
	"plumb/internal/caller"
	"plumb/internal/lambda"
	"plumb/internal/model"
	"plumb/internal/model/lambdaapi"
	"plumb/internal/source/mapping"
)

func registerEventSources(s *lambdaapi.Service, f face) {
	s.CreateEventSourceMapping(f.CreateEventSourceMapping)
	s.GetEventSourceMapping(f.GetEventSourceMapping)
	s.ListEventSourceMappings(f.ListEventSourceMappings)
	s.UpdateEventSourceMapping(f.UpdateEventSourceMapping)
	s.DeleteEventSourceMapping(f.DeleteEventSourceMapping)
}

// CreateEventSourceMapping has a queue or stream polled for a function.
func (f face) CreateEventSourceMapping(
	ctx context.Context, in *lambdaapi.CreateEventSourceMappingInput,
) (*lambdaapi.CreateEventSourceMappingOutput, error) {
	if in.EventSourceArn == nil || in.SelfManagedEventSource != nil {
		return nil, lambdaapi.InvalidParameterValueException("Unrecognized event source.")
	}
	r, err := ref(ctx, in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	if err := lambda.CheckTags(in.Tags); err != nil {
		return nil, err
	}
	m := mapping.Mapping{Place: caller.Place(ctx), Source: *in.EventSourceArn, Function: r, Settings: mapping.Settings{
		Enabled: true, Tags: in.Tags, Position: string(in.StartingPosition), Timestamp: value(in.StartingPositionTimestamp),
	}}
	if m.Service() == "sqs" {
		m.BatchSize = 10
	} else {
		m.BatchSize, m.Factor, m.MaxAge, m.Retries = 100, 1, -1, -1
	}
	if err := applySource(&m, sourceChange(in)); err != nil {
		return nil, err
	}
	made, err := f.mappings.Create(ctx, m)
	if err != nil {
		return nil, err
	}
	return sourceShape(made), nil
}

// A change of a mapping, from either request; nil leaves a member as it is.
type change struct {
	Enabled        *bool
	BatchSize      *int32
	Filters        *lambdaapi.FilterCriteria
	Window         *int32
	Factor         *int32
	Destination    *lambdaapi.DestinationConfig
	MaxAge         *int32
	Bisect         *bool
	Retries        *int32
	Tumbling       *int32
	ResponseTypes  []lambdaapi.FunctionResponseType
	Scaling        *lambdaapi.ScalingConfig
	KMSKey         *string
	Metrics        *lambdaapi.EventSourceMappingMetricsConfig
	Logging        *lambdaapi.EventSourceMappingLoggingConfig
	Pollers        *lambdaapi.ProvisionedPollerConfig
	OtherThanKnown bool // members of sources that are not polled here
}

func sourceChange(in *lambdaapi.CreateEventSourceMappingInput) change {
	return change{
		Enabled: in.Enabled, BatchSize: in.BatchSize, Filters: in.FilterCriteria, Window: in.MaximumBatchingWindowInSeconds,
		Factor: in.ParallelizationFactor, Destination: in.DestinationConfig, MaxAge: in.MaximumRecordAgeInSeconds,
		Bisect: in.BisectBatchOnFunctionError, Retries: in.MaximumRetryAttempts, Tumbling: in.TumblingWindowInSeconds,
		ResponseTypes: in.FunctionResponseTypes, Scaling: in.ScalingConfig, KMSKey: in.KMSKeyArn, Metrics: in.MetricsConfig,
		Logging: in.LoggingConfig, Pollers: in.ProvisionedPollerConfig,
		OtherThanKnown: len(in.Topics) > 0 || len(in.Queues) > 0 || len(in.SourceAccessConfigurations) > 0 ||
			in.AmazonManagedKafkaEventSourceConfig != nil || in.SelfManagedKafkaEventSourceConfig != nil || in.DocumentDBEventSourceConfig != nil,
	}
}

func sourceUpdate(in *lambdaapi.UpdateEventSourceMappingInput) change {
	return change{
		Enabled: in.Enabled, BatchSize: in.BatchSize, Filters: in.FilterCriteria, Window: in.MaximumBatchingWindowInSeconds,
		Factor: in.ParallelizationFactor, Destination: in.DestinationConfig, MaxAge: in.MaximumRecordAgeInSeconds,
		Bisect: in.BisectBatchOnFunctionError, Retries: in.MaximumRetryAttempts, Tumbling: in.TumblingWindowInSeconds,
		ResponseTypes: in.FunctionResponseTypes, Scaling: in.ScalingConfig, KMSKey: in.KMSKeyArn, Metrics: in.MetricsConfig,
		Logging: in.LoggingConfig, Pollers: in.ProvisionedPollerConfig,
		OtherThanKnown: len(in.SourceAccessConfigurations) > 0 || in.AmazonManagedKafkaEventSourceConfig != nil ||
			in.SelfManagedKafkaEventSourceConfig != nil || in.DocumentDBEventSourceConfig != nil,
	}
}

// applySource changes the members of a mapping that are given. Empty structures
// take away what they hold.
func applySource(m *mapping.Mapping, c change) error {
	if c.OtherThanKnown {
		return lambdaapi.InvalidParameterValueException("Unsupported source access configuration or event source configuration for given event source mapping type.")
	}
	if c.Enabled != nil {
		m.Enabled = *c.Enabled
	}
	setNumber(&m.BatchSize, c.BatchSize)
	setNumber(&m.Window, c.Window)
	setNumber(&m.Factor, c.Factor)
	setNumber(&m.MaxAge, c.MaxAge)
	setNumber(&m.Retries, c.Retries)
	setNumber(&m.Tumbling, c.Tumbling)
	if c.Bisect != nil {
		m.Bisect = *c.Bisect
	}
	if c.Filters != nil {
		m.Filters = nil
		for _, f := range c.Filters.Filters {
			m.Filters = append(m.Filters, value(f.Pattern))
		}
	}
	if d := c.Destination; d != nil {
		m.OnFailure = ""
		if d.OnFailure != nil {
			m.OnFailure = value(d.OnFailure.Destination)
		}
		if d.OnSuccess != nil && value(d.OnSuccess.Destination) != "" {
			return lambdaapi.InvalidParameterValueException("Unsupported DestinationConfig parameter for given event source mapping type.")
		}
	}
	if c.ResponseTypes != nil {
		m.Partial = len(c.ResponseTypes) > 0
	}
	if c.Scaling != nil {
		m.MaxConcurrency = int(value(c.Scaling.MaximumConcurrency))
	}
	applyShown(m, c)
	return nil
}

// applyShown changes the members that are kept and shown, and nothing else.
func applyShown(m *mapping.Mapping, c change) {
	if c.KMSKey != nil {
		m.KMSKey = *c.KMSKey
	}
	if c.Metrics != nil {
		m.Metrics = nil
		for _, name := range c.Metrics.Metrics {
			m.Metrics = append(m.Metrics, string(name))
		}
	}
	if c.Logging != nil {
		m.LogLevel = string(c.Logging.SystemLogLevel)
	}
	if p := c.Pollers; p != nil {
		m.MinPollers, m.MaxPollers = number(p.MinimumPollers), number(p.MaximumPollers)
	}
}

func number(n *int32) *int {
	if n == nil {
		return nil
	}
	return new(int(*n))
}

// GetEventSourceMapping returns a mapping.
func (f face) GetEventSourceMapping(
	ctx context.Context, in *lambdaapi.GetEventSourceMappingInput,
) (*lambdaapi.GetEventSourceMappingOutput, error) {
	m, err := f.mappings.Get(ctx, caller.Place(ctx), value(in.UUID))
	if err != nil {
		return nil, err
	}
	return sourceShape(m), nil
}

// ListEventSourceMappings lists mappings, of a source or a function if asked to.
func (f face) ListEventSourceMappings(
	ctx context.Context, in *lambdaapi.ListEventSourceMappingsInput,
) (*lambdaapi.ListEventSourceMappingsOutput, error) {
	function := ""
	if in.FunctionName != nil {
		r, err := ref(ctx, in.FunctionName, nil)
		if err != nil {
			return nil, err
		}
		function = r.ARN()
	}
	n := limit(in.MaxItems, 100)
	found, err := f.mappings.List(ctx, caller.Place(ctx), value(in.EventSourceArn), function, value(in.Marker), n+1)
	if err != nil {
		return nil, err
	}
	out := &lambdaapi.ListEventSourceMappingsOutput{EventSourceMappings: []lambdaapi.EventSourceMappingConfiguration{}}
	if len(found) > n {
		found = found[:n]
		out.NextMarker = &found[n-1].ID
	}
	for _, m := range found {
		out.EventSourceMappings = append(out.EventSourceMappings, *sourceShape(m))
	}
	return out, nil
}

// UpdateEventSourceMapping changes a mapping.
func (f face) UpdateEventSourceMapping(
	ctx context.Context, in *lambdaapi.UpdateEventSourceMappingInput,
) (*lambdaapi.UpdateEventSourceMappingOutput, error) {
	m, err := f.mappings.Update(ctx, caller.Place(ctx), value(in.UUID), func(m *mapping.Mapping) error {
		if in.FunctionName != nil {
			r, err := ref(ctx, in.FunctionName, nil)
			if err != nil {
				return err
			}
			m.Function = r
		}
		return applySource(m, sourceUpdate(in))
	})
	if err != nil {
		return nil, err
	}
	return sourceShape(m), nil
}

// DeleteEventSourceMapping has a mapping deleted.
func (f face) DeleteEventSourceMapping(
	ctx context.Context, in *lambdaapi.DeleteEventSourceMappingInput,
) (*lambdaapi.DeleteEventSourceMappingOutput, error) {
	m, err := f.mappings.Delete(ctx, caller.Place(ctx), value(in.UUID))
	if err != nil {
		return nil, err
	}
	return sourceShape(m), nil
}

func sourceShape(m mapping.Mapping) *lambdaapi.EventSourceMappingConfiguration {
	out := &lambdaapi.EventSourceMappingConfiguration{
		UUID: &m.ID, EventSourceMappingArn: new(m.ARN()), EventSourceArn: &m.Source, FunctionArn: new(m.Function.ARN()),
		BatchSize: new(int32(m.BatchSize)), MaximumBatchingWindowInSeconds: new(int32(m.Window)), LastModified: new(m.Modified.Truncate(time.Millisecond)),
		State: &m.State, StateTransitionReason: new("USER_INITIATED"), FunctionResponseTypes: []lambdaapi.FunctionResponseType{},
		KMSKeyArn: model.Optional(m.KMSKey),
	}
	if m.Partial {
		out.FunctionResponseTypes = append(out.FunctionResponseTypes, "ReportBatchItemFailures")
	}
	if len(m.Filters) > 0 {
		out.FilterCriteria = &lambdaapi.FilterCriteria{}
		for _, p := range m.Filters {
			out.FilterCriteria.Filters = append(out.FilterCriteria.Filters, lambdaapi.Filter{Pattern: new(p)})
		}
	}
	if m.MaxConcurrency > 0 {
		out.ScalingConfig = &lambdaapi.ScalingConfig{MaximumConcurrency: new(int32(m.MaxConcurrency))}
	}
	addShown(out, m)
	if m.Service() != "sqs" {
		addStream(out, m)
	}
	return out
}

func addShown(out *lambdaapi.EventSourceMappingConfiguration, m mapping.Mapping) {
	if len(m.Metrics) > 0 {
		out.MetricsConfig = &lambdaapi.EventSourceMappingMetricsConfig{}
		for _, name := range m.Metrics {
			out.MetricsConfig.Metrics = append(out.MetricsConfig.Metrics, lambdaapi.EventSourceMappingMetric(name))
		}
	}
	if m.LogLevel != "" {
		out.LoggingConfig = &lambdaapi.EventSourceMappingLoggingConfig{SystemLogLevel: lambdaapi.EventSourceMappingSystemLogLevel(m.LogLevel)}
	}
	if m.MinPollers != nil || m.MaxPollers != nil {
		out.ProvisionedPollerConfig = &lambdaapi.ProvisionedPollerConfig{MinimumPollers: number32(m.MinPollers), MaximumPollers: number32(m.MaxPollers)}
	}
}

func number32(n *int) *int32 {
	if n == nil {
		return nil
	}
	return new(int32(*n))
}

// addStream adds the members that only mappings of streams have.
func addStream(out *lambdaapi.EventSourceMappingConfiguration, m mapping.Mapping) {
	out.StateTransitionReason = new("User action")
	out.LastProcessingResult = &m.Result
	out.StartingPosition = lambdaapi.EventSourcePosition(m.Position)
	if !m.Timestamp.IsZero() {
		out.StartingPositionTimestamp = &m.Timestamp
	}
	out.ParallelizationFactor, out.TumblingWindowInSeconds = new(int32(m.Factor)), new(int32(m.Tumbling))
	out.MaximumRecordAgeInSeconds, out.MaximumRetryAttempts = new(int32(m.MaxAge)), new(int32(m.Retries))
	out.BisectBatchOnFunctionError = &m.Bisect
	out.DestinationConfig = &lambdaapi.DestinationConfig{OnFailure: &lambdaapi.OnFailure{Destination: model.Optional(m.OnFailure)}}
}

// mappingID returns the id in the ARN of an event source mapping.
func mappingID(text string) (id string, ok bool) {
	a, err := arn.Parse(text)
	if err != nil || a.Service != "lambda" {
		return "", false
	}
	return strings.CutPrefix(a.Resource, "event-source-mapping:")
}
