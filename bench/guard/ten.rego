# Ten checks on a bucket, the same as in ten.guard.
package ten

bucket if input.resourceType == "AWS::S3::Bucket"

extra := input.supplementaryConfiguration

versioning if {
	bucket
	extra.BucketVersioningConfiguration.status == "Enabled"
}

encryption if {
	bucket
	every rule in extra.ServerSideEncryptionConfiguration.rules {
		rule.applyServerSideEncryptionByDefault.sseAlgorithm in {"aws:kms", "AES256"}
	}
}

logging if {
	bucket
	extra.BucketLoggingConfiguration.destinationBucketName
}

public_access if {
	bucket
	block := extra.PublicAccessBlockConfiguration
	block.blockPublicAcls == true
	block.ignorePublicAcls == true
	block.blockPublicPolicy == true
	block.restrictPublicBuckets == true
}

owner if input.tags.owner

environment if input.tags.environment in {"production", "staging", "test"}

region if regex.match("^eu-", input.awsRegion)

no_public_grant if {
	bucket
	readers := [g | some g in extra.AccessControlList.grantList; g.permission == "Read"]
	count(readers) == 0
}

lifecycle if {
	bucket
	every rule in extra.BucketLifecycleConfiguration.rules {
		rule.status == "Enabled"
		rule.expirationInDays <= 3650
	}
}

keys := [r | some r in input.relationships; r.resourceType == "AWS::KMS::Key"]

key_of_this_account if {
	count(keys) > 0
	every key in keys {
		regex.match("^[0-9a-f-]{36}$", key.resourceId)
	}
}

verdicts := {
	"versioning": versioning,
	"encryption": encryption,
	"logging": logging,
	"public_access": public_access,
	"owner": owner,
	"environment": environment,
	"region": region,
	"no_public_grant": no_public_grant,
	"lifecycle": lifecycle,
	"key_of_this_account": key_of_this_account,
}
