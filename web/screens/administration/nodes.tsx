import { useQuery } from '@tanstack/react-query'
import { Waypoints } from 'lucide-react'
import { problemOf } from '../../api/problem.ts'
import { clusterQuery } from '../../app/queries.ts'
import { useApi } from '../../app/services.tsx'
import { Bones, EmptyState, Loaded } from '../../components/states.tsx'
import { useWords } from '../../i18n/i18n.tsx'
import { AuthorityPanel } from './authority-panel.tsx'
import { ClusterEvents } from './cluster-events.tsx'
import { CopiesPanel } from './copies-panel.tsx'
import { Machines } from './machines.tsx'

/** The machines of the cluster: how each of them is, what is being copied, how they come and go, and what happened. */
export function Nodes() {
  const { say } = useWords()
  const cluster = useQuery(clusterQuery(useApi()))
  if (cluster.error !== null && problemOf(cluster.error).code === 'NOT_IN_CLUSTER') {
    return (
      <EmptyState icon={Waypoints} title={say('aloneTitle')} text={say('aloneText')}>
        <code>npm run hocket -- cluster init</code>
      </EmptyState>
    )
  }
  return (
    <div className="narrow">
      <Loaded query={cluster} bones={<Bones shape="line" count={6} />}>
        {(status) => (
          <>
            <AuthorityPanel status={status} />
            <CopiesPanel status={status} />
            <Machines status={status} />
            <ClusterEvents />
          </>
        )}
      </Loaded>
    </div>
  )
}
