package settings

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// A Setting is one row of the table.
type Setting struct {
	Name    string // of the flag and of the key in the file
	Group   string
	Kind    string // what a value looks like, for help: URL, FOLDER, DURATION
	Help    string // a sentence
	Example string
	Choices []string // the only values there are, of a setting that has them
	Secret  bool     // its value is never shown
	NoFile  bool     // cannot stand in the file
	NoFlag  bool     // cannot stand on the command line, which all users of the machine may read
	Switch  bool     // the flag may stand alone and then means true

	set func(s *Settings, v *yaml.Node) error
	get func(s *Settings) string
}

// Env returns the name of the setting's environment variable.
func (r Setting) Env() string {
	return "PLUMB_" + strings.ToUpper(strings.ReplaceAll(r.Name, "-", "_"))
}

// Show returns the value in s as it may be shown to anybody.
func (r Setting) Show(s Settings) string {
	v := r.get(&s)
	if r.Secret && v != "" {
		return hidden
	}
	return v
}

// Table lists every setting there is, in the order of the documentation.
func Table() []Setting {
	groups := [][]Setting{server(), outside(), recording(), oidc(), channels(), functions(), auditing(), logging()}
	var all []Setting
	for _, g := range groups {
		all = append(all, g...)
	}
	return all
}

func server() []Setting {
	const group = "Server"
	return []Setting{
		text("settings", "FILE", func(s *Settings) *string { return &s.File },
			"A YAML file with settings, each key as named here; an unknown key is an error.",
			"plumb.yaml").in(group).notInFile(),
		text("listen", "HOST:PORT", func(s *Settings) *string { return &s.Listen },
			"Where the server listens. Port 0 picks a free one. An address that is not loopback needs server mode, "+
				"and a certificate or a proxy that has one.",
			"127.0.0.1:0").in(group),
		text("console", "HOST:PORT", func(s *Settings) *string { return &s.Console },
			"Where the console is, the pages for people who use a browser; / of a browser leads there. Port 0 picks a free one, off is no "+
				"console. By default it is at 127.0.0.1:4578 in development mode, or at another port if that one is taken, and off in server "+
				"mode. There it asks for an access key, or for a login by oidc-issuer, shows the account of it, and changes nothing.",
			"127.0.0.1:4578").in(group),
		text("smtp-listen", "HOST:PORT", func(s *Settings) *string { return &s.SMTPListen },
			"Where mail is received, by SMTP, for the receipt rules of SES; off is nowhere. By default a listener opens at 127.0.0.1:2525 when a "+
				"receipt rule set becomes active, or at another port if that one is taken. STARTTLS is offered where tls-certificate is set.",
			"127.0.0.1:2526").in(group),
		text("mqtt-listen", "HOST:PORT", func(s *Settings) *string { return &s.MQTTListen },
			"Where devices talk MQTT, for the topic rules of IoT; off is nowhere. By default a listener opens at 127.0.0.1:1883 when a topic rule is "+
				"enabled or a client asks for the endpoint, or at another port if that one is taken. Where tls-certificate is set it speaks TLS, and "+
				"the port is 8883.",
			"127.0.0.1:1884").in(group),
		choice("mode", func(s *Settings) *Mode { return &s.Mode },
			"development takes any credentials on loopback, an access key id of twelve digits being the account, and lets "+
				"clients move the clock; server takes signed requests of known access keys only.",
			Development, Server).in(group),
		choice("iam", func(s *Settings) *string { return &s.IAM },
			"Whether policies of users and roles are asked before a request is answered. auto does so in server mode. Access keys of the "+
				"settings and of accounts themselves may do everything in their account.",
			"auto", "enforce", "off").in(group),
		text("tls-certificate", "FILE", func(s *Settings) *string { return &s.TLSCertificate },
			"The server's certificate, with those that lead to its authority, in PEM. It is read again when it has changed. "+
				"Functions call the server on loopback, without TLS.", "/etc/plumb/tls.crt").in(group),
		text("tls-key", "FILE", func(s *Settings) *string { return &s.TLSKey },
			"The key of the certificate, in PEM.", "/etc/plumb/tls.key").in(group),
		toggle("behind-proxy", func(s *Settings) *bool { return &s.BehindProxy },
			"A proxy in front of this server does TLS: in server mode it may listen beyond loopback without a certificate.").in(group),
		structure("proxies", "LIST", func(s *Settings) *[]string { return &s.Proxies },
			"Networks of the proxies in front of this server. What comes from one is taken to be from the last address of its X-Forwarded-For that is none of theirs: "+
				"in limits, policies (aws:SourceIp), events of functions and the audit log. From others that header says nothing.", `[10.30.0.5/32]`).in(group),
		toggle("open-to-anyone", func(s *Settings) *bool { return &s.OpenToAnyone },
			"In development mode, listen beyond loopback: whoever reaches the address may do everything, with any credentials or none. It is "+
				"for containers and for machines on a network of their own.").in(group),
		secret("metrics-token", "TOKEN", func(s *Settings) *string { return (*string)(&s.MetricsToken) },
			"What /metrics asks for, as Authorization: Bearer TOKEN. Without it /metrics is closed in server mode, and open in "+
				"development mode.", "an-unguessable-text").in(group).notOnCommandLine(),
		secret("control-token", "TOKEN", func(s *Settings) *string { return (*string)(&s.ControlToken) },
			"What /_plumb/deliveries, /_plumb/channels, /_plumb/audit and the manifests of Alexa's skills ask for, as Authorization: Bearer TOKEN: plumb deliveries and plumb "+
				"audit send it. Without it they are closed in server mode, and open in development mode.", "an-unguessable-text").in(group).notOnCommandLine(),
		structure("hosts", "LIST", func(s *Settings) *[]string { return &s.Hosts },
			"Names by which clients reach this server in development mode, beside those of the machine itself. Requests for any other host "+
				"are refused, and so are those that a browser sends for somebody else's page.", `[plumb, plumb.internal]`).in(group),
		text("data", "FOLDER", func(s *Settings) *string { return &s.Data },
			"Folder for the database and the objects of buckets, where they are not in a PostgreSQL, and for the code of functions.", "/var/lib/plumb").in(group),
		secret("database", "URL", func(s *Settings) *string { return &s.Database },
			"The store: sqlite:PATH, or a PostgreSQL that several servers may share. By default plumb.db in the data folder.",
			"postgres://plumb:PASSWORD@db.example.com/plumb").in(group),
		secret("seal-key", "TEXT", func(s *Settings) *string { return (*string)(&s.SealKey) },
			"A random text of 32 characters or more that seals the secrets in the store: those of temporary credentials, the keys of tokens and "+
				"links, and the key that signs messages of topics. All servers of a store have the same; without it they cannot read what is sealed.",
			"0123456789abcdef0123456789abcdef").in(group).notOnCommandLine(),
		text("account", "DIGITS", func(s *Settings) *string { return &s.Account },
			"The default account, whose requests those are that name no account.", "210987654321").in(group),
		text("region", "REGION", func(s *Settings) *string { return &s.Region },
			"The region of requests that name none.", "eu-central-1").in(group),
		structure("access-keys", "LIST", func(s *Settings) *[]AccessKey { return &s.AccessKeys },
			"Access keys that clients sign with in server mode: id, secret, account, and the user's name in ARNs.",
			`[{id: AKIAEXAMPLE, secret: ..., account: "123456789012", user: alice}]`).in(group).hide().notOnCommandLine(),
		number("max-body", func(s *Settings) *int64 { return &s.MaxBody },
			"The largest request body in bytes. Objects of buckets are not bound by it.", "134217728").in(group),
		number("throttle", func(s *Settings) *int { return &s.Throttle },
			"How many requests per second each operation of AWS Config takes from an account in a region. What comes above gets "+
				"ThrottlingException, and AWS's SDKs try it again. AWS does not publish its own rates. Each server counts for itself, by the server's "+
				"clock. 0 is off.", "10").in(group),
		number("throttle-burst", func(s *Settings) *int { return &s.ThrottleBurst },
			"How many of those may come at once after a pause. 0 is as many as throttle says.", "20").in(group),
		text("host", "NAME", func(s *Settings) *string { return &s.Host },
			"The name of this server among those that share a database; one that starts again under its name takes up the "+
				"jobs it left. By default the machine's host name and the listener's port.", "plumb-1").in(group),
	}
}

func outside() []Setting {
	const group = "Outside services"
	return []Setting{
		text("target", "URL", func(s *Settings) *string { return &s.Target },
			"An AWS-compatible endpoint whose resources the default account's recorder reads, or the word aws for Amazon's own. "+
				"Without it the recorder reads the services embedded here.", "http://127.0.0.1:5000").in(group),
		toggle("forward", func(s *Settings) *bool { return &s.Forward },
			"In server mode, too, send requests for services that are not served here on to the account's target, signed with "+
				"the target's credentials. Development mode always does.").in(group),
		structure("create-at-target", "LIST", func(s *Settings) *[]string { return &s.CreateAtTarget },
			"The services that create at the account's target where it has one: any of "+strings.Join(creating, ", ")+". Others create here. "+
				"What is here already is answered here, and any other name at the target.", "[s3, sqs]").in(group),
		text("s3-endpoint", "URL", func(s *Settings) *string { return &s.Endpoints.S3 },
			"The S3 of the default account's delivery buckets, in place of the embedded one.", "aws").in(group),
		text("sns-endpoint", "URL", func(s *Settings) *string { return &s.Endpoints.SNS },
			"The SNS of the default account's delivery topics, in place of the embedded one.", "aws").in(group),
		text("sqs-endpoint", "URL", func(s *Settings) *string { return &s.Endpoints.SQS },
			"The SQS of the default account's dead letter queues, in place of the embedded one.", "aws").in(group),
		text("lambda-endpoint", "URL", func(s *Settings) *string { return &s.Endpoints.Lambda },
			"The Lambda that runs the default account's rule functions, in place of the embedded one.", "aws").in(group),
		text("events-endpoint", "URL", func(s *Settings) *string { return &s.Endpoints.Events },
			"The EventBridge that is told what AWS Config tells of the default account, beside the embedded event buses. Without it only those are.", "aws").in(group),
		text("event-bus", "NAME", func(s *Settings) *string { return &s.EventBus },
			"The event bus there, or its ARN. By default the account's default one.", "compliance").in(group),
		text("event-source", "TEXT", func(s *Settings) *string { return &s.EventSource },
			"The source of these events. By default aws.config, and plumb.config at Amazon's own EventBridge, which takes from nobody what begins "+
				"with aws.", "plumb.config").in(group),
		text("cloudtrail", "URL", func(s *Settings) *string { return &s.CloudTrail },
			"Where the default account's target has records of CloudTrail: the URL of an SQS queue, or s3://BUCKET/PREFIX as in the trail. What they say was "+
				"changed is read again at once, and the items name who did it. A queue takes events of EventBridge (AWS API Call via CloudTrail), notices of new files "+
				"from S3 or from the trail's topic, and records of every account; plumb deletes its messages. "+
				"The recorder's role needs sqs:ReceiveMessage and sqs:DeleteMessage for a queue, s3:ListBucket for a bucket, and s3:GetBucketLocation and s3:GetObject "+
				"for files, also those that a queue names. A bucket is read below PREFIX/AWSLogs/ACCOUNT/: the trail of an organization, whose "+
				"files are below PREFIX/AWSLogs/ORGANIZATION/ACCOUNT/, needs a queue.",
			"https://sqs.eu-west-1.amazonaws.com/123456789012/plumb-trail").in(group),
		text("ssm-endpoint", "URL", func(s *Settings) *string { return &s.Endpoints.SSM },
			"The Systems Manager that runs the documents of the default account's remediations, in place of the embedded one.", "aws").in(group),
		structure("outgoing-networks", "LIST", func(s *Settings) *[]string { return &s.OutgoingNetworks },
			"Networks that calls may reach whose address a client names (HTTP subscriptions of topics) and those of channels, beside public addresses, in server "+
				"mode. Development mode reaches every address. Redirects are not followed, and no proxy is asked.", `[10.20.0.0/16]`).in(group),
		structure("accounts", "LIST", func(s *Settings) *[]Account { return &s.Accounts },
			"Where resources are read from per account, and per region where region is given: account, region, target, "+
				"endpoints (s3, sns, sqs, lambda, events, ssm; config where the account's AWS Config is elsewhere and aggregators show it), event-bus, "+
				"event-source, cloudtrail (of that account only), and as whom: access-key-id, secret-access-key and session-token, or profile; "+
				"role and external-id to assume a role with those.",
			`[{account: "210987654321", target: aws, role: "arn:aws:iam::210987654321:role/config"}]`).in(group).hide().notOnCommandLine(),
	}
}

func recording() []Setting {
	const group = "Recording and rules"
	return []Setting{
		duration("poll", func(s *Settings) *durationField { return (*durationField)(&s.Poll) },
			"How often resources of an outside target are read. Embedded services announce their changes at once.",
			"5m").in(group),
		duration("delivery-age", func(s *Settings) *durationField { return (*durationField)(&s.DeliveryAge) },
			"For how long a message of AWS Config is tried that its topic does not take. Then it is undelivered: plumb deliveries lists those, "+
				"tries them again or drops them. After 30 days more they are deleted.", "24h").in(group),
		toggle("parquet", func(s *Settings) *bool { return &s.Parquet },
			"Write each snapshot and each history file as Parquet as well, below Config/Parquet/ in the delivery channel's bucket. See deliveries.md.").in(group),
		text("rules", "FOLDER", func(s *Settings) *string { return &s.Rules },
			"A folder with rule files of your own, as those in rules/ are. PutConfigRule takes their identifiers with Owner AWS, like those of "+
				"managed rules. They are read at the start, which fails where one is wrong.", "/etc/plumb/rules").in(group),
		quotas("quotas", func(s *Settings) *Quotas { return &s.Quotas },
			"How many of each of these an account may have in a region, from 1 to 100000. Those that are not named are as at AWS. A lower number "+
				"takes nothing away: it refuses new ones.", "{rules: 2000, aggregators: 100}").in(group),
		choice("queries", func(s *Settings) *string { return &s.Queries },
			"Which advanced queries clients may ask: aws takes AWS's language, extended also JOIN, AS, DISTINCT, HAVING, AS OF and FROM history. plumb query "+
				"may always use them.",
			"aws", "extended").in(group),
	}
}

func channels() []Setting {
	const group = "Channels and mail"
	return []Setting{
		structure("channels", "LIST", func(s *Settings) *[]Channel { return &s.Channels },
			"The channels that notify people, beside the topics of AWS Config: name, kind (webhook, slack, teams or email), and url or, for email, to; secret signs the "+
				"bodies of a webhook. events are compliance (by default), items and deliveries. accounts, regions, types, rules, packs, verdicts and tags "+
				"choose among them; entries may have * for any text. digest puts together what happens in a time; in quiet (from, to, zone) nothing is "+
				"sent. plumb channels test NAME sends an example. See deliveries.md.",
			`[{name: ops, kind: slack, url: "https://hooks.slack.com/services/...", verdicts: [NON_COMPLIANT], digest: 5m, quiet: {from: "22:00", to: "07:00", zone: Europe/Berlin}}]`).
			in(group).hide().notOnCommandLine(),
		text("console-url", "URL", func(s *Settings) *string { return &s.ConsoleURL },
			"Where people find the console, for the links in what channels tell. By default where it listens.", "https://plumb.example.com").in(group),
		text("smtp-server", "HOST:PORT", func(s *Settings) *string { return &s.SMTPServer },
			"The SMTP server that mail is sent through, of email channels and of e-mail subscriptions of topics. Without it none is sent.",
			"smtp.example.com:587").in(group),
		text("smtp-from", "ADDRESS", func(s *Settings) *string { return &s.SMTPFrom },
			"The address that mail is from.", "plumb@example.com").in(group),
		text("smtp-user", "NAME", func(s *Settings) *string { return &s.SMTPUser },
			"As whom to sign in to the SMTP server. Without it nobody does.", "plumb").in(group),
		secret("smtp-password", "TEXT", func(s *Settings) *string { return (*string)(&s.SMTPPassword) },
			"The password of smtp-user.", "an-unguessable-text").in(group).notOnCommandLine(),
		choice("smtp-security", func(s *Settings) *string { return &s.SMTPSecurity },
			"How the way to the SMTP server is encrypted: starttls before anything is sent, tls from the first byte.",
			"starttls", "tls", "none").in(group),
	}
}

func functions() []Setting {
	const group = "Functions"
	return []Setting{
		countOrAuto("functions", func(s *Settings) *int { return &s.Functions },
			"How many function environments may exist at once; auto is 32 for each processor. Two for each processor work at once "+
				"in any case, more only while those leave the processors idle.", "16").in(group),
		duration("function-idle", func(s *Settings) *durationField { return (*durationField)(&s.FunctionTTL) },
			"How long an idle environment is kept warm.", "1h").in(group),
		text("python", "PROGRAM", func(s *Settings) *string { return &s.Python },
			"The Python that runs python3.* functions. By default python3 of the PATH.", "/usr/bin/python3.13").in(group),
		text("node", "PROGRAM", func(s *Settings) *string { return &s.Node },
			"The Node.js that runs nodejs* functions. By default node of the PATH.", "/opt/node/bin/node").in(group),
		text("node-path", "FOLDER", func(s *Settings) *string { return &s.NodePath },
			"A node_modules folder in which functions find aws-sdk. By default npm's global one is looked through.",
			"/opt/nodejs/node_modules").in(group),
		choice("sandbox", func(s *Settings) *string { return &s.Sandbox },
			"How functions are kept apart: auto takes the strongest level that the kernel allows; a named level is demanded, "+
				"and the server does not start without it.",
			"auto", "namespaces", "landlock", "limits", "none").in(group),
		text("alexa-certificates", "FOLDER", func(s *Settings) *string { return &s.AlexaCertificates },
			"A folder with the certificates that requests of Alexa are signed with: the last part of SignatureCertChainUrl is the name of a file, and "+
				"what is not there is downloaded from s3.amazonaws.com. A roots.pem in it has the roots to trust in place of the machine's.",
			"/etc/plumb/alexa").in(group),
	}
}

func auditing() []Setting {
	const group = "Audit log"
	return []Setting{
		choice("audit", func(s *Settings) *string { return &s.Audit },
			"Which calls are kept: management are those that change resources, all also those that change what resources hold (objects, messages, "+
				"events, log lines, invocations, verdicts of rules), off are none. Refusals of any call are kept with the first two.",
			"management", "all", "off").in(group),
		duration("audit-retention", func(s *Settings) *durationField { return (*durationField)(&s.AuditKeep) },
			"For how long calls are kept in the store.", "8760h").in(group),
		text("audit-bucket", "NAME", func(s *Settings) *string { return &s.AuditBucket },
			"A bucket of the default account to which calls are delivered in files of CloudTrail's format, five minutes after the first one: "+
				"AWSLogs/ACCOUNT/CloudTrail/REGION/YYYY/MM/DD/. Without it there are no files.", "audit-logs").in(group),
		text("audit-prefix", "TEXT", func(s *Settings) *string { return &s.AuditPrefix },
			"What the keys of those files begin with.", "plumb").in(group),
	}
}

func logging() []Setting {
	const group = "Logging"
	return []Setting{
		choice("log-level", func(s *Settings) *string { return &s.LogLevel },
			"The least level that is logged.", "debug", "info", "warn", "error").in(group),
		choice("log-format", func(s *Settings) *string { return &s.LogFormat },
			"How log lines are written to standard error.", "text", "json").in(group),
		text("debug-listen", "HOST:PORT", func(s *Settings) *string { return &s.DebugListen },
			"Where Go's profiles are, at /debug/pprof/, for go tool pprof: an address on loopback. Without it there are none.",
			"127.0.0.1:6060").in(group),
		text("traces", "URL", func(s *Settings) *string { return &s.Traces },
			"Where traces go, by OTLP over HTTP: the base URL of an OpenTelemetry collector, or off. By default where OTEL_EXPORTER_OTLP_ENDPOINT or "+
				"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT says, nowhere without them. The other variables of OpenTelemetry hold in any case.",
			"http://127.0.0.1:4318").in(group),
	}
}

func (r Setting) in(group string) Setting {
	r.Group = group
	return r
}

func (r Setting) notInFile() Setting {
	r.NoFile = true
	return r
}

func (r Setting) notOnCommandLine() Setting {
	r.NoFlag = true
	return r
}

func (r Setting) hide() Setting {
	r.Secret = true
	return r
}
