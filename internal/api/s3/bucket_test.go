package s3_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

func TestBucketsBelongToAnAccountAndARegion(t *testing.T) {
	suite(t, func(s *server) {
		b := s.bucket("mine")
		_, err := s.client.CreateBucket(s.ctx, &sdk.CreateBucketInput{Bucket: b})
		s.must(err) // as S3 does in its first region
		other := s.as("222222222222", "eu-west-1")
		eu := &types.CreateBucketConfiguration{LocationConstraint: "eu-west-1"}
		_, err = other.CreateBucket(s.ctx, &sdk.CreateBucketInput{Bucket: b, CreateBucketConfiguration: eu})
		s.fails(err, "BucketAlreadyExists")
		_, err = other.CreateBucket(s.ctx, &sdk.CreateBucketInput{Bucket: new("theirs")})
		s.fails(err, "IllegalLocationConstraintException")
		_, err = other.CreateBucket(s.ctx, &sdk.CreateBucketInput{Bucket: new("theirs"), CreateBucketConfiguration: eu})
		s.must(err)
		_, err = other.CreateBucket(s.ctx, &sdk.CreateBucketInput{Bucket: new("theirs"), CreateBucketConfiguration: eu})
		s.fails(err, "BucketAlreadyOwnedByYou")
		_, err = other.ListObjectsV2(s.ctx, &sdk.ListObjectsV2Input{Bucket: b})
		s.fails(err, "AccessDenied")
		_, err = other.HeadBucket(s.ctx, &sdk.HeadBucketInput{Bucket: b})
		s.fails(err, "Forbidden")
		_, err = s.client.HeadBucket(s.ctx, &sdk.HeadBucketInput{Bucket: new("none")})
		s.fails(err, "NotFound")
		_, err = s.client.ListObjectsV2(s.ctx, &sdk.ListObjectsV2Input{Bucket: new("none")})
		s.fails(err, "NoSuchBucket")
		loc, err := other.GetBucketLocation(s.ctx, &sdk.GetBucketLocationInput{Bucket: new("theirs")})
		s.must(err)
		s.equal(string(loc.LocationConstraint), "eu-west-1")
		loc, err = s.client.GetBucketLocation(s.ctx, &sdk.GetBucketLocationInput{Bucket: b})
		s.must(err)
		s.equal(string(loc.LocationConstraint), "")
		list, err := other.ListBuckets(s.ctx, &sdk.ListBucketsInput{})
		s.must(err)
		s.equal(len(list.Buckets), 1)
		s.equal(text(list.Buckets[0].BucketRegion), "eu-west-1")
		_, err = s.client.CreateBucket(s.ctx, &sdk.CreateBucketInput{Bucket: new("Bad_Name")})
		s.fails(err, "InvalidBucketName")
	})
}

// What a bucket that was just made says of itself is what rules judge first.
func TestANewBucketIsAsAWSMakesIt(t *testing.T) {
	suite(t, func(s *server) {
		b := s.bucket("fresh")
		enc, err := s.client.GetBucketEncryption(s.ctx, &sdk.GetBucketEncryptionInput{Bucket: b})
		s.must(err)
		s.equal(enc.ServerSideEncryptionConfiguration.Rules[0].ApplyServerSideEncryptionByDefault.SSEAlgorithm, types.ServerSideEncryptionAes256)
		pab, err := s.client.GetPublicAccessBlock(s.ctx, &sdk.GetPublicAccessBlockInput{Bucket: b})
		s.must(err)
		s.equal(*pab.PublicAccessBlockConfiguration.BlockPublicPolicy, true)
		own, err := s.client.GetBucketOwnershipControls(s.ctx, &sdk.GetBucketOwnershipControlsInput{Bucket: b})
		s.must(err)
		s.equal(own.OwnershipControls.Rules[0].ObjectOwnership, types.ObjectOwnershipBucketOwnerEnforced)
		v, err := s.client.GetBucketVersioning(s.ctx, &sdk.GetBucketVersioningInput{Bucket: b})
		s.must(err)
		s.equal(string(v.Status), "")
		acl, err := s.client.GetBucketAcl(s.ctx, &sdk.GetBucketAclInput{Bucket: b})
		s.must(err)
		s.equal(acl.Grants[0].Permission, types.PermissionFullControl)
		s.equal(acl.Grants[0].Grantee.Type, types.TypeCanonicalUser)
		s.equal(len(text(acl.Owner.ID)), 64)
		log, err := s.client.GetBucketLogging(s.ctx, &sdk.GetBucketLoggingInput{Bucket: b})
		s.must(err)
		s.equal(log.LoggingEnabled == nil, true)
		pay, err := s.client.GetBucketRequestPayment(s.ctx, &sdk.GetBucketRequestPaymentInput{Bucket: b})
		s.must(err)
		s.equal(pay.Payer, types.PayerBucketOwner)
		_, err = s.client.GetBucketNotificationConfiguration(s.ctx, &sdk.GetBucketNotificationConfigurationInput{Bucket: b})
		s.must(err)
		_, err = s.client.GetBucketAccelerateConfiguration(s.ctx, &sdk.GetBucketAccelerateConfigurationInput{Bucket: b})
		s.must(err)
	})
}

func TestWhatABucketHasNotIsSaidInS3sWords(t *testing.T) {
	suite(t, func(s *server) {
		b := s.bucket("bare")
		_, err := s.client.GetBucketPolicy(s.ctx, &sdk.GetBucketPolicyInput{Bucket: b})
		s.fails(err, "NoSuchBucketPolicy")
		_, err = s.client.GetBucketPolicyStatus(s.ctx, &sdk.GetBucketPolicyStatusInput{Bucket: b})
		s.fails(err, "NoSuchBucketPolicy")
		_, err = s.client.GetBucketTagging(s.ctx, &sdk.GetBucketTaggingInput{Bucket: b})
		s.fails(err, "NoSuchTagSet")
		_, err = s.client.GetBucketCors(s.ctx, &sdk.GetBucketCorsInput{Bucket: b})
		s.fails(err, "NoSuchCORSConfiguration")
		_, err = s.client.GetBucketLifecycleConfiguration(s.ctx, &sdk.GetBucketLifecycleConfigurationInput{Bucket: b})
		s.fails(err, "NoSuchLifecycleConfiguration")
		_, err = s.client.GetBucketWebsite(s.ctx, &sdk.GetBucketWebsiteInput{Bucket: b})
		s.fails(err, "NoSuchWebsiteConfiguration")
		_, err = s.client.GetBucketReplication(s.ctx, &sdk.GetBucketReplicationInput{Bucket: b})
		s.fails(err, "ReplicationConfigurationNotFoundError")
		_, err = s.client.GetObjectLockConfiguration(s.ctx, &sdk.GetObjectLockConfigurationInput{Bucket: b})
		s.fails(err, "ObjectLockConfigurationNotFoundError")
		_, err = s.client.DeletePublicAccessBlock(s.ctx, &sdk.DeletePublicAccessBlockInput{Bucket: b})
		s.must(err)
		_, err = s.client.GetPublicAccessBlock(s.ctx, &sdk.GetPublicAccessBlockInput{Bucket: b})
		s.fails(err, "NoSuchPublicAccessBlockConfiguration")
		_, err = s.client.GetBucketInventoryConfiguration(s.ctx, &sdk.GetBucketInventoryConfigurationInput{Bucket: b, Id: new("x")})
		s.fails(err, "NoSuchConfiguration")
		_, err = s.client.PutObjectRetention(s.ctx, &sdk.PutObjectRetentionInput{Bucket: b, Key: new("k"), Retention: &types.ObjectLockRetention{}})
		s.fails(err, "NotImplemented")
	})
}

func TestEachChangeOfConfigurationIsAnnounced(t *testing.T) {
	suite(t, func(s *server) {
		b, target := s.bucket("watched"), s.bucket("target")
		before := len(s.changes)
		s.versioning(b, types.BucketVersioningStatusEnabled)
		_, err := s.client.PutBucketTagging(s.ctx, &sdk.PutBucketTaggingInput{Bucket: b, Tagging: &types.Tagging{TagSet: []types.Tag{{Key: new("a b"), Value: new("c")}}}})
		s.must(err)
		_, err = s.client.PutBucketEncryption(s.ctx, &sdk.PutBucketEncryptionInput{Bucket: b, ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{
			Rules: []types.ServerSideEncryptionRule{{ApplyServerSideEncryptionByDefault: &types.ServerSideEncryptionByDefault{SSEAlgorithm: "aws:kms", KMSMasterKeyID: new("k1")}}}}})
		s.must(err)
		_, err = s.client.PutBucketLogging(s.ctx, &sdk.PutBucketLoggingInput{Bucket: b, BucketLoggingStatus: &types.BucketLoggingStatus{LoggingEnabled: &types.LoggingEnabled{TargetBucket: target, TargetPrefix: new("p/")}}})
		s.must(err)
		_, err = s.client.PutBucketLifecycleConfiguration(s.ctx, &sdk.PutBucketLifecycleConfigurationInput{Bucket: b, LifecycleConfiguration: &types.BucketLifecycleConfiguration{
			Rules: []types.LifecycleRule{{Status: "Enabled", Filter: &types.LifecycleRuleFilter{Prefix: new("tmp/")}, Expiration: &types.LifecycleExpiration{Days: new(int32(7))}}}}})
		s.must(err)
		_, err = s.client.PutBucketCors(s.ctx, &sdk.PutBucketCorsInput{Bucket: b, CORSConfiguration: &types.CORSConfiguration{CORSRules: []types.CORSRule{{AllowedMethods: []string{"GET"}, AllowedOrigins: []string{"*"}}}}})
		s.must(err)
		s.equal(len(s.changes)-before, 6)
		last := s.changes[len(s.changes)-1]
		s.equal(last.String(), "111111111111/us-east-1/AWS::S3::Bucket/watched")

		s.put(b, "k", "x")
		s.equal(len(s.changes)-before, 6) // an object is no change of its bucket
		head, err := s.client.HeadObject(s.ctx, &sdk.HeadObjectInput{Bucket: b, Key: new("k")})
		s.must(err)
		s.equal(head.ServerSideEncryption, types.ServerSideEncryptionAwsKms)
		s.equal(text(head.SSEKMSKeyId), "k1")
		tags, err := s.client.GetBucketTagging(s.ctx, &sdk.GetBucketTaggingInput{Bucket: b})
		s.must(err)
		s.equal(text(tags.TagSet[0].Key), "a b")
		life, err := s.client.GetBucketLifecycleConfiguration(s.ctx, &sdk.GetBucketLifecycleConfigurationInput{Bucket: b})
		s.must(err)
		s.equal(*life.Rules[0].Expiration.Days, int32(7))
		s.equal(aws.ToString(life.Rules[0].ID) != "", true)
		log, err := s.client.GetBucketLogging(s.ctx, &sdk.GetBucketLoggingInput{Bucket: b})
		s.must(err)
		s.equal(text(log.LoggingEnabled.TargetBucket), "target")
		_, err = s.client.PutBucketLogging(s.ctx, &sdk.PutBucketLoggingInput{Bucket: b, BucketLoggingStatus: &types.BucketLoggingStatus{LoggingEnabled: &types.LoggingEnabled{TargetBucket: new("none"), TargetPrefix: new("p/")}}})
		s.fails(err, "InvalidTargetBucketForLogging")
	})
}

func TestPublicBucketsNeedThreeSteps(t *testing.T) {
	suite(t, func(s *server) {
		b := s.bucket("open")
		policy := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::open/*"}]}`
		putPolicy := func(p string) error {
			_, err := s.client.PutBucketPolicy(s.ctx, &sdk.PutBucketPolicyInput{Bucket: b, Policy: &p})
			return err
		}
		putACL := func(a types.BucketCannedACL) error {
			_, err := s.client.PutBucketAcl(s.ctx, &sdk.PutBucketAclInput{Bucket: b, ACL: a})
			return err
		}
		s.fails(putPolicy(policy), "AccessDenied")
		s.fails(putACL("public-read"), "AccessControlListNotSupported")
		_, err := s.client.PutBucketOwnershipControls(s.ctx, &sdk.PutBucketOwnershipControlsInput{Bucket: b, OwnershipControls: &types.OwnershipControls{Rules: []types.OwnershipControlsRule{{ObjectOwnership: "BucketOwnerPreferred"}}}})
		s.must(err)
		s.fails(putACL("public-read"), "AccessDenied")
		_, err = s.client.PutPublicAccessBlock(s.ctx, &sdk.PutPublicAccessBlockInput{Bucket: b, PublicAccessBlockConfiguration: &types.PublicAccessBlockConfiguration{RestrictPublicBuckets: new(true)}})
		s.must(err)
		s.must(putACL("public-read"))
		s.must(putPolicy(policy))
		acl, err := s.client.GetBucketAcl(s.ctx, &sdk.GetBucketAclInput{Bucket: b})
		s.must(err)
		s.equal(text(acl.Grants[1].Grantee.URI), "http://acs.amazonaws.com/groups/global/AllUsers")
		st, err := s.client.GetBucketPolicyStatus(s.ctx, &sdk.GetBucketPolicyStatusInput{Bucket: b})
		s.must(err)
		s.equal(*st.PolicyStatus.IsPublic, true)
		narrow := `{"Statement":{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"s3:*","Resource":["arn:aws:s3:::open"],"Condition":{"StringEquals":{"aws:SourceAccount":"111111111111"}}}}`
		s.must(putPolicy(narrow))
		st, err = s.client.GetBucketPolicyStatus(s.ctx, &sdk.GetBucketPolicyStatusInput{Bucket: b})
		s.must(err)
		s.equal(*st.PolicyStatus.IsPublic, false)
		got, err := s.client.GetBucketPolicy(s.ctx, &sdk.GetBucketPolicyInput{Bucket: b})
		s.must(err)
		s.equal(text(got.Policy), narrow)
		s.fails(putPolicy(`{`), "MalformedPolicy")
	})
}

// The service and the managed rules have one meaning of public.
func TestAPolicyIsPublicUnlessFixedValuesLimitTheCaller(t *testing.T) {
	suite(t, func(s *server) {
		b := s.bucket("meaning")
		for statements, public := range map[string]bool{
			`{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::meaning/*","Condition":{"StringLike":{"aws:SourceVpc":"vpc-*"}}}`:   true,
			`{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::meaning/*","Condition":{"StringLike":{"aws:SourceVpc":"vpc-1"}}}`:   false,
			`{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::meaning/*","Condition":{"IpAddress":{"aws:SourceIp":"0.0.0.0/1"}}}`: true,
			`{"Effect":"Allow","NotPrincipal":{"AWS":"111111111111"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::meaning/*"}`:                                  true,
			`{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::meaning/*"},
			 {"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::meaning/*","Condition":{"StringNotEquals":{"aws:PrincipalOrgID":"o-1"}}}`: false,
		} {
			_, err := s.client.DeletePublicAccessBlock(s.ctx, &sdk.DeletePublicAccessBlockInput{Bucket: b})
			s.must(err)
			policy := `{"Statement":[` + statements + `]}`
			_, err = s.client.PutBucketPolicy(s.ctx, &sdk.PutBucketPolicyInput{Bucket: b, Policy: &policy})
			s.must(err)
			status, err := s.client.GetBucketPolicyStatus(s.ctx, &sdk.GetBucketPolicyStatusInput{Bucket: b})
			s.must(err)
			s.equal(*status.PolicyStatus.IsPublic, public)
			_, err = s.client.PutPublicAccessBlock(s.ctx, &sdk.PutPublicAccessBlockInput{
				Bucket: b, PublicAccessBlockConfiguration: &types.PublicAccessBlockConfiguration{BlockPublicPolicy: new(true)},
			})
			s.must(err)
			_, err = s.client.PutBucketPolicy(s.ctx, &sdk.PutBucketPolicyInput{Bucket: b, Policy: &policy})
			if public {
				s.fails(err, "AccessDenied")
			} else {
				s.must(err)
			}
		}
	})
}

func TestKindsWithSeveralConfigurations(t *testing.T) {
	suite(t, func(s *server) {
		b := s.bucket("several")
		for _, id := range []string{"one", "two"} {
			_, err := s.client.PutBucketMetricsConfiguration(s.ctx, &sdk.PutBucketMetricsConfigurationInput{Bucket: b, Id: &id, MetricsConfiguration: &types.MetricsConfiguration{Id: &id}})
			s.must(err)
		}
		list, err := s.client.ListBucketMetricsConfigurations(s.ctx, &sdk.ListBucketMetricsConfigurationsInput{Bucket: b})
		s.must(err)
		s.equal(len(list.MetricsConfigurationList), 2)
		_, err = s.client.DeleteBucketMetricsConfiguration(s.ctx, &sdk.DeleteBucketMetricsConfigurationInput{Bucket: b, Id: new("one")})
		s.must(err)
		_, err = s.client.GetBucketMetricsConfiguration(s.ctx, &sdk.GetBucketMetricsConfigurationInput{Bucket: b, Id: new("one")})
		s.fails(err, "NoSuchConfiguration")
	})
}
