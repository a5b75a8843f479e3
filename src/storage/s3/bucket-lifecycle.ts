import { GetBucketLifecycleConfigurationCommand, type LifecycleRule } from '@aws-sdk/client-s3'
import { S3Calls } from './s3-calls.ts'
import { s3Client } from './s3-client.ts'
import type { S3StoreOptions } from './s3-object-store.ts'

/**
 * After how many days the bucket's rules abort uploads that are not completed, at the earliest; `null` where no rule does,
 * or where the store has no rules or does not show them.
 */
export const incompleteUploadDays = async (options: S3StoreOptions): Promise<number | null> => {
  const { bucket, prefix, clock, random } = options
  const client = s3Client(options)
  const calls = new S3Calls({ client, settings: options, clock, random, location: `s3://${bucket}` })
  try {
    const { Rules = [] } = await calls.make('read the lifecycle rules', attempt =>
      client.send(new GetBucketLifecycleConfigurationCommand({ Bucket: bucket }), attempt),
    )
    const days = Rules.filter(rule => concerns(rule, prefix)).map(
      rule => rule.AbortIncompleteMultipartUpload?.DaysAfterInitiation ?? Infinity,
    )
    const earliest = Math.min(...days)
    return Number.isFinite(earliest) ? earliest : null
  } catch {
    // no rules, or not for us to see: nothing to warn of
    return null
  } finally {
    client.destroy()
  }
}

const concerns = (rule: LifecycleRule, prefix: string): boolean => {
  const begin = rule.Filter?.Prefix ?? rule.Filter?.And?.Prefix ?? rule.Prefix ?? ''
  return rule.Status === 'Enabled' && (begin.startsWith(prefix) || prefix.startsWith(begin))
}
