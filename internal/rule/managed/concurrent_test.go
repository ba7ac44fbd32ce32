package managed

import (
	"sync"
	"testing"

	"plumb/internal/config"
)

func TestCatalogueAndEvaluatorsAreSharedByManyGoroutines(t *testing.T) {
	c := loaded(t)
	item := instance(t)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for _, identifier := range c.Evaluated() {
				info, _ := c.Known(identifier)
				if len(info.Parameters) > 0 {
					continue
				}
				e, err := c.Evaluator(identifier, "")
				if err != nil {
					t.Error(err)
					return
				}
				if compliance, _, err := e.Evaluate(item, Beside()); err != nil || compliance == config.InsufficientData {
					t.Errorf("%s: %s, %v", identifier, compliance, err)
				}
			}
		})
	}
	group.Wait()
}
