package store_test

import (
	"plumb/internal/config"
	"plumb/internal/store"
)

var planAggregator = config.Aggregator{
	Place: place, Name: "a", ARN: "arn:aws:config:eu-west-1:123456789012:config-aggregator/config-aggregator-a",
	Accounts: &config.AccountSource{Regions: config.Regions{All: true}, IDs: []string{"123456789012", "210987654321"}},
}

// fillAggregators keeps what the reads of aggregators look for.
func fillAggregators(s suite) error {
	if err := store.PutAggregator(s.Context(), s.tx, planAggregator); err != nil {
		return err
	}
	_, err := store.PutAuthorization(s.Context(), s.tx, config.AggregationAuthorization{Place: place, Authorized: config.Place{Account: "210987654321", Region: "eu-west-1"}, ARN: "arn:x"})
	return err
}

func planPlaces(s suite) store.Places {
	s.Helper()
	ps, err := store.PlacesShownTo(s.Context(), s.tx, []string{place.Account, "210987654321"}, place)
	s.must(err)
	return ps
}

func init() {
	pagedReads["ResourcesEver"] = func(s suite) error {
		_, err := store.ResourcesEver(s.Context(), s.tx, place, config.ResourceKey{Type: "A::B::C", ID: "r-0011"}, 10)
		return err
	}
	pagedReads["Aggregators"] = func(s suite) error {
		_, err := store.Aggregators(s.Context(), s.tx, place, "A", 10)
		return err
	}
	pagedReads["SourceAccounts"] = func(s suite) error {
		_, err := store.SourceAccounts(s.Context(), s.tx, planAggregator, "123456789012", 10)
		return err
	}
	pagedReads["AggregationRequests"] = func(s suite) error {
		p := config.Place{Account: "210987654321", Region: "eu-west-1"}
		_, err := store.AggregationRequests(s.Context(), s.tx, p, store.AggregationRequest{By: config.Place{Account: "1", Region: "x"}}, 10)
		return err
	}
	pagedReads["Authorizations"] = func(s suite) error {
		_, err := store.Authorizations(s.Context(), s.tx, place, config.Place{Account: "1", Region: "x"}, 10)
		return err
	}
	pagedReads["RuleResults"] = func(s suite) error {
		for _, c := range []config.Compliance{"", config.Compliant, config.NonCompliant} {
			for _, name := range []string{"", "r"} {
				if _, err := store.RuleResults(s.Context(), s.tx, place, store.RuleResultQuery{Name: name, Compliance: c, After: "a", Limit: 10}); err != nil {
					return err
				}
			}
		}
		return nil
	}
	unpagedReads["PlacesShownTo"] = func(s suite) error { planPlaces(s); return nil }
	unpagedReads["ListedAccounts"] = func(s suite) error {
		_, err := store.ListedAccounts(s.Context(), s.tx, planAggregator)
		return err
	}
	unpagedReads["WithResources"] = func(s suite) error {
		for _, q := range []store.ResourceQuery{{}, {Name: "name-1"}, {IDs: []string{"r-0011"}}} {
			q.Type = "A::B::C"
			if _, err := planPlaces(s).WithResources(s.Context(), s.tx, q); err != nil {
				return err
			}
		}
		return nil
	}
	unpagedReads["WithResults"] = func(s suite) error {
		for _, q := range []store.RuleResultQuery{{}, {Name: "r"}, {Compliance: config.NonCompliant}, {Compliance: config.Compliant}} {
			if _, err := planPlaces(s).WithResults(s.Context(), s.tx, q); err != nil {
				return err
			}
		}
		return nil
	}
	unpagedReads["CountTypes"] = func(s suite) error { _, err := planPlaces(s).CountTypes(s.Context(), s.tx); return err }
	unpagedReads["Count"] = func(s suite) error {
		for _, types := range [][]string{nil, {"A::B::C"}} {
			if _, err := planPlaces(s).Count(s.Context(), s.tx, types); err != nil {
				return err
			}
		}
		return nil
	}
	unpagedReads["PackResults"] = func(s suite) error { _, err := store.PackResults(s.Context(), s.tx, place); return err }
	unpagedReads["WithPacks"] = func(s suite) error { _, err := planPlaces(s).WithPacks(s.Context(), s.tx); return err }
	unpagedReads["TallyByPack"] = func(s suite) error { _, err := planPlaces(s).TallyByPack(s.Context(), s.tx); return err }
	unpagedReads["TallyByRule"] = func(s suite) error { _, err := planPlaces(s).TallyByRule(s.Context(), s.tx); return err }
}
