package engine

import (
	"slices"
	"strings"
)

// objectCalls are the calls on S3 objects: CloudTrail has them as data events
// only (CloudTrail User Guide, "Logging data events").
var objectCalls = strings.Fields(`AbortMultipartUpload CompleteMultipartUpload CopyObject CreateMultipartUpload CreateSession DeleteObject
	DeleteObjects DeleteObjectTagging GetObject GetObjectAcl GetObjectAttributes GetObjectLegalHold GetObjectRetention GetObjectTagging
	GetObjectTorrent HeadBucket HeadObject ListMultipartUploads ListObjects ListObjectVersions ListParts PutObject PutObjectAcl PutObjectLegalHold
	PutObjectRetention PutObjectTagging RestoreObject SelectObjectContent UploadPart UploadPartCopy`)

// invokeCalls are those of Lambda.
var invokeCalls = []string{"Invoke", "InvokeExecution", "InvokeAsync"}

// azureFormats are the logs of Azure and Entra, by what they show.
var azureFormats = map[string]saw{
	"azure-activity": sawAzure, "azure-resource": sawAzure, "nsgflow": sawAzure, "vnetflow": sawAzure,
	"entra-signin": sawSignin, "entra-audit": sawEntra,
}

// cloud looks at what accounts and buckets deliver.
func (c *Census) cloud(g *glance) {
	switch g.format {
	case "cloudtrail":
		c.trail(g)
	case "vpcflow":
		c.regional(g, sawFlow, regionOther)
	case "route53":
		c.regional(g, sawDNS, regionOther)
	case "guardduty":
		c.regional(g, 0, regionOther)
	case "s3access":
		if g.bucket != "" {
			c.note(PlaceBucket, g.bucket, sawS3Access, g.e)
		}
	default:
		if what := azureFormats[g.format]; what != 0 {
			c.note(PlaceAccount, azureName, what, g.e)
		}
	}
}

// azureName is the account that stands for all of Azure: its logs name
// subscriptions, Entra's name tenants.
const azureName = "Azure"

func (c *Census) trail(g *glance) {
	what, data := sawTrail, g.manages == "false" || g.category == "Data"
	switch g.provider {
	case "lambda.amazonaws.com":
		what |= sawFunctions
		if slices.Contains(invokeCalls, g.action) {
			what |= sawInvokes
		}
	case "s3.amazonaws.com":
		data = data || slices.Contains(objectCalls, g.action)
		seen := sawBucketUse
		if data {
			seen = sawObjects
		}
		if g.bucket != "" && (data || g.errorCode == "") { // who may not, or asks in vain, names any bucket
			if s := c.note(PlaceBucket, g.bucket, seen, g.e); s != nil && s.owner == "" && seen == sawBucketUse {
				s.owner = strings.Clone(g.account)
			}
		}
		if data {
			what |= sawObjects
		}
	}
	c.regional(g, what, regionTrail)
}

// regional notes a log that an account delivers by region.
func (c *Census) regional(g *glance, what saw, by uint8) {
	if len(g.account) != 12 || strings.Trim(g.account, "0123456789") != "" {
		return // no AWS account
	}
	s := c.note(PlaceAccount, g.account, what, g.e)
	if s == nil || g.region == "" || len(g.region) > maxPlaceName {
		return
	}
	if have, ok := s.regions[g.region]; ok {
		if have&by == 0 {
			s.regions[strings.Clone(g.region)] = have | by
		}
		return
	}
	if s.regions == nil {
		s.regions = map[string]uint8{}
	}
	if len(s.regions) < maxRegions {
		s.regions[strings.Clone(g.region)] = by
	}
}
