package kind

import (
	"context"

	"plumb/internal/template"
)

// configTypes are those of AWS Config.
func configTypes() map[string]Type {
	return map[string]Type{
		"AWS::Config::ConfigRule": {
			Service: "Config", Naming: Naming{Property: "ConfigRuleName", Max: 128}, Fixed: []string{"ConfigRuleName"},
			Create: createRule, Update: putRule, Delete: func(ctx context.Context, r *Request) error {
				_, err := r.send(ctx, "config", "DeleteConfigRule", map[string]any{"ConfigRuleName": r.Physical})
				return absent(err)
			},
			Absent: func(ctx context.Context, r *Request) (bool, error) {
				_, err := r.send(ctx, "config", "DescribeConfigRules", map[string]any{"ConfigRuleNames": []any{r.Physical}})
				return isAbsent(err), absent(err)
			},
		},
		"AWS::Config::ConfigurationRecorder": {
			Service: "Config", Naming: Naming{Property: "Name", Max: 256}, Fixed: []string{"Name"},
			Create: createRecorder, Update: putRecorder, Delete: func(ctx context.Context, r *Request) error {
				_, err := r.send(ctx, "config", "DeleteConfigurationRecorder", map[string]any{"ConfigurationRecorderName": r.Physical})
				return absent(err)
			},
		},
		"AWS::Config::DeliveryChannel": {
			Service: "Config", Naming: Naming{Property: "Name", Max: 256}, Fixed: []string{"Name"},
			Create: createChannel, Update: putChannel, Delete: deleteChannel,
		},
		"AWS::Config::ConformancePack": {
			Service: "Config", Naming: Naming{Property: "ConformancePackName", Max: 256}, Fixed: []string{"ConformancePackName"},
			Create: createPack, Update: putPack, Settled: packSettled, Delete: func(ctx context.Context, r *Request) error {
				_, err := r.send(ctx, "config", "DeleteConformancePack", map[string]any{"ConformancePackName": r.Physical})
				return absent(err)
			},
			Absent: func(ctx context.Context, r *Request) (bool, error) {
				_, err := r.send(ctx, "config", "DescribeConformancePacks", map[string]any{"ConformancePackNames": []any{r.Physical}})
				return isAbsent(err), absent(err)
			},
		},
		"AWS::Config::RemediationConfiguration": {
			Service: "Config", Fixed: []string{"ConfigRuleName"}, Create: createRemediation, Update: putRemediation,
			Delete: func(ctx context.Context, r *Request) error {
				_, err := r.send(ctx, "config", "DeleteRemediationConfiguration", map[string]any{"ConfigRuleName": r.text("ConfigRuleName")})
				return absent(err)
			},
		},
		"AWS::Config::AggregationAuthorization": {
			Service: "Config", Fixed: []string{"AuthorizedAccountId", "AuthorizedAwsRegion"}, Create: putAuthorization, Update: putAuthorization,
			Delete: func(ctx context.Context, r *Request) error {
				_, err := r.send(ctx, "config", "DeleteAggregationAuthorization", without(r.Properties, "Tags"))
				return absent(err)
			},
		},
		"AWS::Config::ConfigurationAggregator": {
			Service: "Config", Naming: Naming{Property: "ConfigurationAggregatorName", Max: 256}, Fixed: []string{"ConfigurationAggregatorName"},
			Create: createAggregator, Update: putAggregator, Delete: func(ctx context.Context, r *Request) error {
				_, err := r.send(ctx, "config", "DeleteConfigurationAggregator", map[string]any{"ConfigurationAggregatorName": r.Physical})
				return absent(err)
			},
		},
		"AWS::Config::OrganizationConfigRule": {
			Service: "Config", Fixed: []string{"OrganizationConfigRuleName"}, Create: createOrganizationRule, Update: putOrganizationRule,
			Delete: func(ctx context.Context, r *Request) error {
				_, err := r.send(ctx, "config", "DeleteOrganizationConfigRule", map[string]any{"OrganizationConfigRuleName": r.Physical})
				return absent(err)
			},
			Absent: func(ctx context.Context, r *Request) (bool, error) {
				_, err := r.send(ctx, "config", "DescribeOrganizationConfigRules", map[string]any{"OrganizationConfigRuleNames": []any{r.Physical}})
				return isAbsent(err), absent(err)
			},
		},
		"AWS::Config::StoredQuery": {
			Service: "Config", Fixed: []string{"QueryName"}, Create: createQuery, Update: putQuery,
			Delete: func(ctx context.Context, r *Request) error {
				_, err := r.send(ctx, "config", "DeleteStoredQuery", map[string]any{"QueryName": r.Physical})
				return absent(err)
			},
		},
	}
}

// free returns nil if a description does not find what is to be made. The
// operations that make it would change the one that is there.
func (r *Request) free(ctx context.Context, operation string, in map[string]any, name string) error {
	if r.Again {
		return nil
	}
	_, err := r.send(ctx, "config", operation, in)
	if err == nil {
		return refuse(AlreadyExists, "%s already exists", name)
	}
	return absent(err)
}

func createRule(ctx context.Context, r *Request) error {
	name := r.name("ConfigRuleName")
	if err := r.free(ctx, "DescribeConfigRules", map[string]any{"ConfigRuleNames": []any{name}}, name); err != nil {
		return err
	}
	return putRule(ctx, r)
}

func putRule(ctx context.Context, r *Request) error {
	name := r.name("ConfigRuleName")
	rule := without(r.Properties, "Compliance")
	rule["ConfigRuleName"] = name
	if m, ok := rule["InputParameters"].(map[string]any); ok {
		delete(rule, "InputParameters")
		text, err := template.InputParameters(m)
		if err != nil {
			return refuse(InvalidRequest, "Properties validation failed with message: #/InputParameters: %s", err)
		}
		if len(m) > 0 {
			rule["InputParameters"] = text
		}
	}
	if err := r.only("Compliance", "ConfigRuleName", "Description", "EvaluationModes", "InputParameters", "MaximumExecutionFrequency", "Scope",
		"Source"); err != nil {
		return err
	}
	in := map[string]any{"ConfigRule": rule}
	if len(r.Tags) > 0 {
		in["Tags"] = tagList(r.Tags)
	}
	if _, err := r.send(ctx, "config", "PutConfigRule", in); err != nil {
		return err
	}
	out, err := r.send(ctx, "config", "DescribeConfigRules", map[string]any{"ConfigRuleNames": []any{name}})
	if err != nil {
		return err
	}
	r.Physical = name
	r.Attributes = map[string]any{
		"Arn": at(out, "ConfigRules", 0, "ConfigRuleArn"), "ConfigRuleId": at(out, "ConfigRules", 0, "ConfigRuleId"), "Compliance.Type": "",
	}
	return nil
}

func createRecorder(ctx context.Context, r *Request) error {
	name := r.name("Name")
	if err := r.free(ctx, "DescribeConfigurationRecorders", map[string]any{"ConfigurationRecorderNames": []any{name}}, name); err != nil {
		return err
	}
	return putRecorder(ctx, r)
}

func putRecorder(ctx context.Context, r *Request) error {
	recorder := without(r.Properties)
	recorder["Name"] = r.name("Name")
	if _, err := r.send(ctx, "config", "PutConfigurationRecorder", map[string]any{"ConfigurationRecorder": recorder}); err != nil {
		return err
	}
	r.Physical = r.name("Name")
	return r.startRecorders(ctx)
}

// startRecorders starts recorders once there is a delivery channel, as
// CloudFormation does.
func (r *Request) startRecorders(ctx context.Context) error {
	out, err := r.send(ctx, "config", "DescribeDeliveryChannels", nil)
	if err != nil || at(out, "DeliveryChannels", 0, "name") == "" {
		return err
	}
	return r.eachRecorder(ctx, "StartConfigurationRecorder")
}

func (r *Request) eachRecorder(ctx context.Context, operation string) error {
	out, err := r.send(ctx, "config", "DescribeConfigurationRecorders", nil)
	if err != nil {
		return err
	}
	list, _ := out["ConfigurationRecorders"].([]any)
	for _, recorder := range list {
		if at(recorder, "servicePrincipal") != "" {
			continue // a service's own
		}
		_, err := r.send(ctx, "config", operation, map[string]any{"ConfigurationRecorderName": at(recorder, "name")})
		if absent(err) != nil { // the stack may delete it just now
			return err
		}
	}
	return nil
}

func createChannel(ctx context.Context, r *Request) error {
	name := r.name("Name")
	if err := r.free(ctx, "DescribeDeliveryChannels", map[string]any{"DeliveryChannelNames": []any{name}}, name); err != nil {
		return err
	}
	return putChannel(ctx, r)
}

func putChannel(ctx context.Context, r *Request) error {
	channel := without(r.Properties)
	channel["Name"] = r.name("Name")
	if _, err := r.send(ctx, "config", "PutDeliveryChannel", map[string]any{"DeliveryChannel": channel}); err != nil {
		return err
	}
	r.Physical = r.name("Name")
	return r.startRecorders(ctx)
}

// deleteChannel stops the recorders first: they need the channel.
func deleteChannel(ctx context.Context, r *Request) error {
	if err := r.eachRecorder(ctx, "StopConfigurationRecorder"); err != nil {
		return err
	}
	_, err := r.send(ctx, "config", "DeleteDeliveryChannel", map[string]any{"DeliveryChannelName": r.Physical})
	return absent(err)
}

func createPack(ctx context.Context, r *Request) error {
	name := r.name("ConformancePackName")
	if err := r.free(ctx, "DescribeConformancePacks", map[string]any{"ConformancePackNames": []any{name}}, name); err != nil {
		return err
	}
	return putPack(ctx, r)
}

func putPack(ctx context.Context, r *Request) error {
	in := without(r.Properties)
	in["ConformancePackName"] = r.name("ConformancePackName")
	_, err := r.send(ctx, "config", "PutConformancePack", in)
	r.Physical = r.name("ConformancePackName")
	return err
}

func packSettled(ctx context.Context, r *Request) (bool, error) {
	out, err := r.send(ctx, "config", "DescribeConformancePackStatus", map[string]any{"ConformancePackNames": []any{r.Physical}})
	if err != nil {
		return false, err
	}
	details := "ConformancePackStatusDetails"
	switch at(out, details, 0, "ConformancePackState") {
	case "CREATE_COMPLETE":
		return true, nil
	case "CREATE_FAILED":
		return false, refuse("GeneralServiceException", "%s", at(out, details, 0, "ConformancePackStatusReason"))
	}
	return false, nil
}

func createRemediation(ctx context.Context, r *Request) error {
	rule := r.text("ConfigRuleName")
	out, err := r.send(ctx, "config", "DescribeRemediationConfigurations", map[string]any{"ConfigRuleNames": []any{rule}})
	if err != nil {
		return err
	}
	if list, _ := out["RemediationConfigurations"].([]any); len(list) > 0 && !r.Again {
		return refuse(AlreadyExists, "Remediation configuration for ConfigRule %s already exists", rule)
	}
	return putRemediation(ctx, r)
}

func putRemediation(ctx context.Context, r *Request) error {
	// Templates write the values of parameters below the kind of value, as the API does.
	out, err := r.send(ctx, "config", "PutRemediationConfigurations", map[string]any{"RemediationConfigurations": []any{r.Properties}})
	if err != nil {
		return err
	}
	if message := at(out, "FailedBatches", 0, "FailureMessage"); message != "" {
		return refuse(InvalidRequest, "%s", message)
	}
	if r.Physical == "" {
		r.Physical = r.text("ConfigRuleName")
	}
	return nil
}

func putAuthorization(ctx context.Context, r *Request) error {
	in := without(r.Properties)
	if tags := r.tags("Tags"); len(tags) > 0 {
		in["Tags"] = tagList(tags)
	}
	out, err := r.send(ctx, "config", "PutAggregationAuthorization", in)
	if err != nil {
		return err
	}
	r.Physical = at(out, "AggregationAuthorization", "AggregationAuthorizationArn")
	r.Attributes = map[string]any{"AggregationAuthorizationArn": r.Physical}
	return nil
}

func createAggregator(ctx context.Context, r *Request) error {
	name := r.name("ConfigurationAggregatorName")
	err := r.free(ctx, "DescribeConfigurationAggregators", map[string]any{"ConfigurationAggregatorNames": []any{name}}, name)
	if err != nil {
		return err
	}
	return putAggregator(ctx, r)
}

func putAggregator(ctx context.Context, r *Request) error {
	in := without(r.Properties)
	in["ConfigurationAggregatorName"] = r.name("ConfigurationAggregatorName")
	if tags := r.tags("Tags"); len(tags) > 0 {
		in["Tags"] = tagList(tags)
	}
	out, err := r.send(ctx, "config", "PutConfigurationAggregator", in)
	if err != nil {
		return err
	}
	r.Physical = r.name("ConfigurationAggregatorName")
	r.Attributes = map[string]any{"ConfigurationAggregatorArn": at(out, "ConfigurationAggregator", "ConfigurationAggregatorArn")}
	return nil
}

func createOrganizationRule(ctx context.Context, r *Request) error {
	name := r.text("OrganizationConfigRuleName")
	err := r.free(ctx, "DescribeOrganizationConfigRules", map[string]any{"OrganizationConfigRuleNames": []any{name}}, name)
	if err != nil {
		return err
	}
	return putOrganizationRule(ctx, r)
}

func putOrganizationRule(ctx context.Context, r *Request) error {
	_, err := r.send(ctx, "config", "PutOrganizationConfigRule", r.Properties)
	r.Physical = r.text("OrganizationConfigRuleName")
	return err
}

func createQuery(ctx context.Context, r *Request) error {
	name := r.text("QueryName")
	if err := r.free(ctx, "GetStoredQuery", map[string]any{"QueryName": name}, name); err != nil {
		return err
	}
	return putQuery(ctx, r)
}

func putQuery(ctx context.Context, r *Request) error {
	if err := r.only("QueryName", "QueryDescription", "QueryExpression", "Tags"); err != nil {
		return err
	}
	query := map[string]any{"QueryName": r.text("QueryName")}
	set(query, "Description", r.Properties, "QueryDescription")
	set(query, "Expression", r.Properties, "QueryExpression")
	in := map[string]any{"StoredQuery": query}
	if tags := r.tags("Tags"); len(tags) > 0 {
		in["Tags"] = tagList(tags)
	}
	out, err := r.send(ctx, "config", "PutStoredQuery", in)
	if err != nil {
		return err
	}
	id := ""
	if got, err := r.send(ctx, "config", "GetStoredQuery", map[string]any{"QueryName": r.text("QueryName")}); err == nil {
		id = at(got, "StoredQuery", "QueryId")
	}
	r.Physical = r.text("QueryName")
	r.Attributes = map[string]any{"QueryArn": at(out, "QueryArn"), "QueryId": id}
	return nil
}
