/** The methods of etcd's gRPC services that we call. */
export const methods = {
  range: '/etcdserverpb.KV/Range',
  transaction: '/etcdserverpb.KV/Txn',
  compact: '/etcdserverpb.KV/Compact',
  watch: '/etcdserverpb.Watch/Watch',
  grant: '/etcdserverpb.Lease/LeaseGrant',
  revoke: '/etcdserverpb.Lease/LeaseRevoke',
  renew: '/etcdserverpb.Lease/LeaseKeepAlive',
  status: '/etcdserverpb.Maintenance/Status',
  alarm: '/etcdserverpb.Maintenance/Alarm',
  defragment: '/etcdserverpb.Maintenance/Defragment',
  addMember: '/etcdserverpb.Cluster/MemberAdd',
  removeMember: '/etcdserverpb.Cluster/MemberRemove',
  updateMember: '/etcdserverpb.Cluster/MemberUpdate',
  listMembers: '/etcdserverpb.Cluster/MemberList',
  promoteMember: '/etcdserverpb.Cluster/MemberPromote',
  moveLeader: '/etcdserverpb.Maintenance/MoveLeader',
} as const
