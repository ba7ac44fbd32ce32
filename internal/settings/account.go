package settings

import "fmt"

// Endpoints are outside services that take the place of the embedded ones: a
// company delivers to its real bucket and topic. Empty means embedded.
type Endpoints struct {
	S3     string `yaml:"s3"`
	SNS    string `yaml:"sns"`
	SQS    string `yaml:"sqs"`
	Lambda string `yaml:"lambda"`
}

// For returns the endpoint of a service by its name (s3, sns, sqs, lambda);
// empty for every other service.
func (e Endpoints) For(service string) string {
	switch service {
	case "s3":
		return e.S3
	case "sns":
		return e.SNS
	case "sqs":
		return e.SQS
	case "lambda":
		return e.Lambda
	}
	return ""
}

func (e Endpoints) check(where string) error {
	for _, service := range []string{"s3", "sns", "sqs", "lambda"} {
		if err := checkTarget(where+service+" endpoint", e.For(service)); err != nil {
			return err
		}
	}
	return nil
}

// over returns e with its gaps filled from the less specific base.
func (e Endpoints) over(base Endpoints) Endpoints {
	return Endpoints{
		S3: or(e.S3, base.S3), SNS: or(e.SNS, base.SNS), SQS: or(e.SQS, base.SQS), Lambda: or(e.Lambda, base.Lambda),
	}
}

// An Account says where the resources of an account are read from, for all its
// regions or for one, and as whom.
type Account struct {
	Account string `yaml:"account"`
	Region  string `yaml:"region"` // empty: every region

	Target    string    `yaml:"target"`
	Endpoints Endpoints `yaml:"endpoints"`

	AccessKeyID     string `yaml:"access-key-id"`
	SecretAccessKey Secret `yaml:"secret-access-key"`
	SessionToken    Secret `yaml:"session-token"`
	Profile         string `yaml:"profile"`
	Role            string `yaml:"role"`
	ExternalID      Secret `yaml:"external-id"`
}

func (a Account) check(where string) error {
	switch {
	case !twelveDigits.MatchString(a.Account):
		return fmt.Errorf("%saccount %q: want twelve digits in quotes", where, a.Account)
	case a.Region != "" && !regionName.MatchString(a.Region):
		return fmt.Errorf("%sregion %q: want a region such as us-east-1, or leave it out for all", where, a.Region)
	case (a.AccessKeyID == "") != (a.SecretAccessKey == ""):
		return fmt.Errorf("%saccess-key-id and secret-access-key go together", where)
	case a.AccessKeyID != "" && a.Profile != "":
		return fmt.Errorf("%sgive either an access key or a profile", where)
	}
	if err := checkTarget(where+"target", a.Target); err != nil {
		return err
	}
	return a.Endpoints.check(where)
}

// over returns a with its gaps filled from the less specific base.
func (a Account) over(base Account) Account {
	a.Target = or(a.Target, base.Target)
	a.Endpoints = a.Endpoints.over(base.Endpoints)
	a.Role = or(a.Role, base.Role)
	a.ExternalID = or(a.ExternalID, base.ExternalID)
	if a.AccessKeyID == "" && a.Profile == "" {
		a.AccessKeyID, a.SecretAccessKey, a.SessionToken = base.AccessKeyID, base.SecretAccessKey, base.SessionToken
		a.Profile = base.Profile
	}
	return a
}

// Place returns what is set for an account in a region: the entry for the
// region, over the entry for all its regions, over the default account's target
// where it is that account. The zero Account, but for its names, means that
// nothing is set and everything is embedded.
func (s Settings) Place(account, region string) Account {
	var found Account
	if account == s.Account {
		found = Account{Target: s.Target, Endpoints: s.Endpoints}
	}
	for _, exact := range []bool{false, true} {
		for _, a := range s.Accounts {
			if a.Account == account && (a.Region == region) == exact && (exact || a.Region == "") {
				found = a.over(found)
			}
		}
	}
	found.Account, found.Region = account, region
	return found
}

func or[T ~string](a, b T) T {
	if a != "" {
		return a
	}
	return b
}

// An AccessKey is what a client signs with in server mode, and the account that
// it speaks for.
type AccessKey struct {
	ID      string `yaml:"id"`
	Secret  Secret `yaml:"secret"`
	Account string `yaml:"account"`
	User    string `yaml:"user"` // name in the caller's ARN; empty is root
}
