package trace

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// Options say where traces go.
type Options struct {
	Log *slog.Logger
	// Endpoint is a collector's base URL, or off. Empty leaves it to the variables.
	Endpoint string
	Version  string // of this program
	Instance string // this server's name among those that share a store
	// Env returns a variable of the environment. nil: os.Getenv.
	Env func(string) string
}

// Off is the endpoint that sends no traces whatever the variables say.
const Off = "off"

// Open returns what begins traces, nil if none are to be sent: no endpoint is named, or
// OTEL_SDK_DISABLED or OTEL_TRACES_EXPORTER says so. The variables of OpenTelemetry's
// specification hold: those of the OTLP exporter, and OTEL_SERVICE_NAME,
// OTEL_RESOURCE_ATTRIBUTES, OTEL_TRACES_SAMPLER, OTEL_BSP_... and limits, which the
// library reads itself.
func Open(o Options) (*Tracer, error) {
	if o.Env == nil {
		o.Env = os.Getenv
	}
	on, err := wanted(o)
	if err != nil || !on {
		return nil, err
	}
	c, err := newClient(o)
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	exporter, err := otlptrace.New(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("open the exporter of traces: %w", err)
	}
	about, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithAttributes(
		attribute.String("service.name", "plumb"), attribute.String("service.version", o.Version), attribute.String("service.instance.id", o.Instance),
	), resource.WithFromEnv())
	if err != nil && !errors.Is(err, resource.ErrPartialResource) && !errors.Is(err, resource.ErrSchemaURLConflict) {
		return nil, fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	p := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(about))
	return &Tracer{provider: p, tracer: p.Tracer(scope)}, nil
}

func wanted(o Options) (bool, error) {
	if o.Endpoint == Off || strings.EqualFold(o.Env("OTEL_SDK_DISABLED"), "true") {
		return false, nil
	}
	if o.Endpoint != "" {
		return true, nil
	}
	switch e := o.Env("OTEL_TRACES_EXPORTER"); e {
	case "none":
		return false, nil
	case "otlp":
		return true, nil
	case "":
		return o.Env("OTEL_EXPORTER_OTLP_ENDPOINT") != "" || o.Env("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") != "", nil
	default:
		return false, fmt.Errorf("OTEL_TRACES_EXPORTER is %q: want otlp or none", e)
	}
}
