package mapping

import (
	"context"
	"strings"

	"plumb/internal/arn"
	"plumb/internal/model/lambdaapi"
)

// check refuses what AWS refuses of a mapping as a whole. Ranges were checked by
// the API's model.
func (s *Store) check(ctx context.Context, m Mapping) error {
	a, err := arn.Parse(m.Source)
	if err != nil || s.pollers[a.Service] == nil {
		return invalid("Unrecognized event source.")
	}
	if err := s.functions.Check(ctx, m.Function); err != nil {
		return invalid("Function does not exist")
	}
	if _, err := ParseFilters(m.Filters); err != nil {
		return err
	}
	if err := s.pollers[a.Service].Check(ctx, m); err != nil || m.OnFailure == "" {
		return err
	}
	return s.functions.CheckStreamDestination(ctx, m.Function, m.OnFailure)
}

// CheckQueue refuses what a mapping of a queue cannot have.
func CheckQueue(m Mapping) error {
	fifo := strings.HasSuffix(m.Source, ".fifo")
	unsupported := ""
	switch {
	case m.OnFailure != "":
		unsupported = "DestinationConfig"
	case m.Position != "":
		unsupported = "StartingPosition"
	case m.Factor != 0:
		unsupported = "ParallelizationFactor"
	case m.MaxAge != 0:
		unsupported = "MaximumRecordAgeInSeconds"
	case m.Retries != 0:
		unsupported = "MaximumRetryAttempts"
	case m.Bisect:
		unsupported = "BisectBatchOnFunctionError"
	case m.Tumbling != 0:
		unsupported = "TumblingWindowInSeconds"
	case fifo && m.Window != 0:
		return invalid("Batching window is not supported for FIFO queues.")
	case fifo && m.BatchSize > 10:
		return invalid("Batch size must be less than or equal to 10 for FIFO queues.")
	case m.BatchSize > 10 && m.Window == 0:
		return invalid("Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10")
	}
	if unsupported != "" {
		return invalid("Unsupported %s parameter for given event source mapping type.", unsupported)
	}
	return nil
}

func invalid(format string, args ...any) error {
	return lambdaapi.InvalidParameterValueException(format, args...)
}
