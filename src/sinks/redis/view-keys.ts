/**
 * Names of a view's keys. All of them hold the view's name as hash tag, so that they lie in one slot of a Redis Cluster
 * and one script may change them together.
 *
 *     millrace:view:{plays}            metadata: a hash
 *     millrace:view:{plays}:<key>      a row: a hash, or a string of JSON
 *     millrace:view-top:{plays}        the top: a sorted set of keys
 *     millrace:view-index:{plays}      all keys, by the value that the top is made of: a sorted set
 *     millrace:view-expiry:{plays}     when rows go (epoch milliseconds): a sorted set of keys
 *     millrace:view-stale:{plays}      while a view is rebuilt: keys of before
 */
export const viewKeys = (prefix: string, name: string) => {
  const meta = `${prefix}view:{${name}}`
  const aside = (what: string): string => `${prefix}view-${what}:{${name}}`
  return {
    meta,
    top: aside('top'),
    index: aside('index'),
    expiry: aside('expiry'),
    stale: aside('stale'),
    row: (key: string): string => `${meta}:${key}`,
  }
}
