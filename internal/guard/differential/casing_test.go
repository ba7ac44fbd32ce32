package differential

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"plumb/internal/guard/casing"
)

// names are properties in many spellings, plurals above all.
const names = `BucketName bucketName bucket_name bucket-name bucket.name BUCKET_NAME SSEAlgorithm sseAlgorithm KMSMasterKeyID
DBInstances dbInstanceArn EC2Instance S3Bucket s3bucket s3_bucket IPv6Addresses Ipv6CidrBlocks AvailabilityZones Policies policy
Statuses Status Aliases Alias Addresses Indices Index Indexes Vertices Matrices Analyses Bases Databases Series Species News Media
Metadata Children Men People Movies Shoes Heroes Buses Bus Boxes Matches Dishes Classes Processes Access Kubernetes Diagnostics
Hives Wives Knives Leaves Halves Lives Drives Archives Objectives Natives Queries Keys Days Boys Oxen Quizzes Octopi Viri Viruses
Crises Axes Theses Mice Lice Houses Uses Caches Types Rules Tags Endpoints Credentials Permissions Settings DNS TLS CORS HTTPS AWS
Equipment Information Rice Money Sheep Data Criteria Schemas Cactus Virus Gas Lens Class a aB aBC A1b 1a a1B2 ab12CD x_Y_z _a a_ __a__ a--b
VpcId vpcIds VPCs Test Tests Testes Photos Potatoes Tomatoes Echoes Videos Shelves Wolves Selves Calves Hooves Moves Loves Waves Slaves
Nodes Codes Modes Zones Routes Tables Gateways Proxies Replicas Volumes Snapshots Images Instances Interfaces Attributes Values Names
Hypotheses Synopses Parentheses Diagnoses Prognoses Oases Phases Databasis Edges Ages Pages Messages Stages Ranges Languages`

// moreNames are words with endings that few words have.
const moreNames = ` Reindices Aliasstatuses Thebus Theoctopi Emailaliases Omnibuses Umovies Xshoes Unews Womice Subdatabases Requies Quies
Safes Iffves Buzzes Gases Topaxes Axis Crisis Acrises Latestes Curves Houseaxes`

func TestNamesAreSpelledAsTheOriginalSpellsThem(t *testing.T) {
	o := startOriginal(t)
	for name := range strings.FieldsSeq(names + moreNames) {
		spellings := casing.Spell(name)
		candidates := spellings[:]
		for _, s := range []string{spellings[3], strings.TrimSuffix(spellings[3], "es")} {
			for _, ending := range []string{"s", "es", "ies", "ves", "is", ""} {
				stem := strings.TrimSuffix(s, ending)
				for _, single := range []string{"", "e", "y", "f", "fe", "is", "us", "ix", "ex", "x", "o", "s"} {
					candidates = append(candidates, stem+single)
				}
			}
		}
		candidates = append(candidates, singulars(spellings[3])...)
		data := map[string]any{}
		var rules strings.Builder
		for i, c := range candidates {
			at := fmt.Sprintf("k%d", i)
			data[at] = map[string]any{c: 1}
			fmt.Fprintf(&rules, "rule r%d { %s.'%s' exists }\n", i, at, name)
		}
		text, err := json.Marshal(data)
		if err != nil {
			t.Fatal(err)
		}
		q := question{Rules: rules.String(), Data: string(text)}
		if theirs, our := o.ask(t, q), ours(t, q); !agree(theirs, our) {
			t.Errorf("%s: %s", name, differingNames(theirs, our, candidates))
		}
	}
}

// differingNames are the spellings that only one side finds.
func differingNames(theirs, ours answer, candidates []string) string {
	a, aOK := theirs.Events.(map[string]any)
	b, bOK := ours.Events.(map[string]any)
	if !aOK || !bOK {
		return theirs.Error + theirs.Panic + ours.Error
	}
	var words []string
	for i, c := range candidates {
		x, y := show(a["children"].([]any)[i]), show(b["children"].([]any)[i])
		theyFind, weFind := strings.Contains(x, `"status":"PASS"`), strings.Contains(y, `"status":"PASS"`)
		if theyFind != weFind {
			words = append(words, fmt.Sprintf("%q (theirs %v)", c, theyFind))
		}
	}
	return strings.Join(words, ", ")
}

// singulars are what a careless undoing of a plural may leave.
func singulars(word string) []string {
	var all []string
	for end := 1; end <= len(word); end++ {
		for _, ending := range []string{"", "um", "f", "fe", "y", "sis", "us", "ex", "ix", "is"} {
			all = append(all, word[:end]+ending)
		}
	}
	return append(all, "basis", "thesis", "index", "status", "bus", "octopus", "alias", "movie", "shoe", "news", "mouse", "database")
}
