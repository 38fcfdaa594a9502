/**
 * What a commit does to workflows: creations, steps, messages, results, purges. The counterpart of `workflow-program.ts`, with its
 * semantics; where that changes a row several times, here it is once, because each change is a new version of the row.
 *
 * Whoever puts a message into an inbox holds the lock on its instance, so `ready` is never set beside a lease that is being given.
 */
import { CONFLICT } from './schema-commit.ts';
import { BY_PARENT } from './schema-tables.ts';

export const WORKFLOW_FUNCTIONS = `
CREATE OR REPLACE FUNCTION wf_is_terminal(p_status text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT p_status IN ('completed', 'failed', 'terminated', 'canceled') $$;

-- The oldest unread message, those of a reset first.
CREATE OR REPLACE FUNCTION wf_unread(p_row bigint) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN RETURN (SELECT sequence FROM wf_inbox WHERE instance = p_row ORDER BY later, sequence LIMIT 1); END $$;

CREATE OR REPLACE FUNCTION wf_add_payloads(p_row bigint, p_sequence bigint, p_payloads jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO wf_payloads SELECT p_row, e->>'id', p_sequence, e->>'data' FROM jsonb_array_elements(p_payloads) e ON CONFLICT DO NOTHING;
END $$;

-- For the history: until it goes, any other of this content goes no earlier, but for that of a status.
CREATE OR REPLACE FUNCTION wf_keep_payloads(p_row bigint, p_payloads jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO wf_payloads SELECT p_row, e->>'id', 0, e->>'data' FROM jsonb_array_elements(p_payloads) e
    WHERE NOT EXISTS (SELECT 1 FROM wf_payloads p WHERE p.instance = p_row AND p.id = e->>'id' AND p.sequence >= 0) ON CONFLICT DO NOTHING;
END $$;

CREATE OR REPLACE FUNCTION wf_deliver(p_row bigint, p_message jsonb) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE v_target record; v_sequence bigint;
BEGIN
  SELECT app, ready, free_at, status INTO v_target FROM wf_instances WHERE id = p_row FOR NO KEY UPDATE;
  IF NOT FOUND THEN RETURN '{}'; END IF;
  INSERT INTO wf_inbox (instance, is_result, event) VALUES (p_row, p_message->>'kind' = 'result', p_message->>'event') RETURNING sequence INTO v_sequence;
  IF p_message ? 'payloads' THEN PERFORM wf_add_payloads(p_row, v_sequence, p_message->'payloads'); END IF;
  IF v_target.ready IS NOT NULL OR v_target.free_at IS NOT NULL OR v_target.status = 'suspended' THEN RETURN '{}'; END IF;
  UPDATE wf_instances SET ready = v_sequence WHERE id = p_row;
  RETURN ARRAY['workflow/' || v_target.app];
END $$;

CREATE OR REPLACE FUNCTION wf_mark_ready(p_row bigint) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE v_app text;
BEGIN
  UPDATE wf_instances SET ready = wf_unread(id) WHERE id = p_row AND free_at IS NULL AND status <> 'suspended' AND wf_unread(id) IS NOT NULL RETURNING app INTO v_app;
  RETURN CASE WHEN v_app IS NULL THEN '{}' ELSE ARRAY['workflow/' || v_app] END;
END $$;

-- p_execution: for that execution only.
CREATE OR REPLACE FUNCTION wf_send(p_app text, p_id text, p_execution text, p_message jsonb) RETURNS outcome LANGUAGE plpgsql AS $$
DECLARE v_target record;
BEGIN
  SELECT id, execution, status INTO v_target FROM wf_instances WHERE app = p_app AND instance_id = p_id FOR NO KEY UPDATE;
  IF NOT FOUND OR v_target.execution <> p_execution THEN RETURN ROW('{"applied": false}', '{}')::outcome; END IF;
  IF wf_is_terminal(v_target.status) THEN RETURN ROW(jsonb_build_object('applied', false, 'row', v_target.id, 'status', v_target.status), '{}')::outcome; END IF;
  RETURN ROW(jsonb_build_object('applied', true, 'row', v_target.id, 'status', v_target.status), wf_deliver(v_target.id, p_message))::outcome;
END $$;

-- W4: the parent takes it only as the execution that made the child.
CREATE OR REPLACE FUNCTION wf_tell_parent(p_row wf_instances, p_message jsonb) RETURNS text[] LANGUAGE plpgsql AS $$
BEGIN
  IF p_row.parent_id IS NULL OR p_message IS NULL THEN RETURN '{}'; END IF;
  RETURN (wf_send(p_row.parent_app, p_row.parent_id, coalesce(p_row.parent_execution, ''), p_message)).touched;
END $$;

-- The instance and, with p_recurse, its descendants of whatever execution, parents before children.
CREATE OR REPLACE FUNCTION wf_family(p_row bigint, p_recurse boolean) RETURNS SETOF wf_instances LANGUAGE plpgsql AS $$
DECLARE v_queue bigint[] := ARRAY[p_row]; v_next integer := 1; v_member wf_instances;
BEGIN
  WHILE v_next <= cardinality(v_queue) LOOP
    SELECT * INTO v_member FROM wf_instances WHERE id = v_queue[v_next] FOR NO KEY UPDATE;
    v_next := v_next + 1;
    CONTINUE WHEN v_member.id IS NULL;
    RETURN NEXT v_member;
    EXIT WHEN NOT p_recurse;
    v_queue := v_queue || ARRAY(SELECT id FROM wf_instances WHERE parent_app = v_member.app AND parent_id = v_member.instance_id AND ${BY_PARENT} AND NOT id = ANY(v_queue) ORDER BY id);
  END LOOP;
END $$;

CREATE OR REPLACE FUNCTION wf_remove_open(p_row bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM wf_activities WHERE instance = p_row;
  DELETE FROM wf_timers WHERE instance = p_row;
  DELETE FROM wf_inbox WHERE instance = p_row;
END $$;

CREATE OR REPLACE FUNCTION wf_remove_all(p_row bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM wf_remove_open(p_row);
  DELETE FROM wf_history WHERE instance = p_row;
  DELETE FROM wf_payloads WHERE instance = p_row;
  DELETE FROM wf_snapshots WHERE instance = p_row;
  DELETE FROM wf_attributes WHERE instance = p_row;
  DELETE FROM wf_instances WHERE id = p_row;
END $$;

-- [[name, value], …]; a value of null removes.
CREATE OR REPLACE FUNCTION wf_set_attributes(p_row bigint, p_app text, p_created_at bigint, p_attributes jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM wf_attributes WHERE instance = p_row AND name = ANY(ARRAY(SELECT e->>0 FROM jsonb_array_elements(p_attributes) e WHERE e->>1 IS NULL));
  INSERT INTO wf_attributes (instance, name, app, value, created_at) SELECT p_row, e->>0, p_app, e->>1, p_created_at FROM jsonb_array_elements(p_attributes) e WHERE e->>1 IS NOT NULL
    ON CONFLICT (instance, name) DO UPDATE SET value = excluded.value, created_at = excluded.created_at;
END $$;

-- Result { taken: true } when the id is taken: nothing was written then.
CREATE OR REPLACE FUNCTION wf_create(p_new jsonb, p_now bigint) RETURNS outcome LANGUAGE plpgsql AS $$
DECLARE
  v_app text := p_new->>'app'; v_parent jsonb := p_new->'parent'; v_old wf_instances; v_ended boolean; v_orphan boolean; v_reusable boolean; v_id bigint; v_member bigint; v_start bigint := (p_new->>'startAt')::bigint; v_touched text[];
BEGIN
  SELECT * INTO v_old FROM wf_instances WHERE app = v_app AND instance_id = p_new->>'instanceId' FOR UPDATE;
  IF FOUND THEN
    IF p_new->>'ifExists' = 'existing' THEN RETURN ROW(jsonb_build_object('applied', false, 'row', v_old.id, 'status', v_old.status), '{}')::outcome; END IF;
    v_ended := wf_is_terminal(v_old.status);
    -- The child of an execution that is no more: nobody waits for it, and it must not stand in the way of the one that is.
    v_orphan := v_old.parent_id IS NOT NULL AND coalesce(v_old.parent_app = v_parent->>'app' AND v_old.parent_id = v_parent->>'instanceId' AND v_old.parent_execution <> v_parent->>'executionId', false);
    v_reusable := CASE p_new->>'ifExists' WHEN 'terminal' THEN v_ended WHEN 'failed' THEN v_ended AND v_old.status <> 'completed' WHEN 'restart' THEN true ELSE false END;
    -- Somebody else waits for a child that has not ended: it is not taken away from them.
    IF NOT v_orphan AND ((v_old.parent_id IS NOT NULL AND NOT v_ended) OR NOT v_reusable) THEN RETURN ROW('{"taken": true}', '{}')::outcome; END IF;
    FOR v_member IN SELECT id FROM wf_family(v_old.id, NOT v_ended) LOOP PERFORM wf_remove_all(v_member); END LOOP;
  END IF;
  INSERT INTO wf_instances (app, instance_id, execution, name, version, status, free_at, created_at, updated_at, parent_app, parent_id, parent_execution, parent_task)
    VALUES (v_app, p_new->>'instanceId', p_new->>'executionId', p_new->>'name', p_new->>'version', 'pending', v_start, p_now, p_now, v_parent->>'app', v_parent->>'instanceId', v_parent->>'executionId', (v_parent->>'taskId')::bigint)
    ON CONFLICT (app, instance_id) DO NOTHING RETURNING id INTO v_id;
  -- Another process made it at the same moment; what holds for one that is there holds for it too.
  IF v_id IS NULL THEN RETURN wf_create(p_new, p_now); END IF;
  v_touched := ARRAY['workflow-status/' || v_app];
  -- Without one, its first step comes in the same batch.
  IF p_new ? 'message' THEN v_touched := v_touched || wf_deliver(v_id, p_new->'message'); END IF;
  -- A start in the future is a rest: its message is the first in the inbox, whatever arrives before.
  IF v_start IS NOT NULL THEN v_touched := v_touched || ('workflow/' || v_app); END IF;
  IF p_new ? 'attributes' THEN PERFORM wf_set_attributes(v_id, v_app, p_now, p_new->'attributes'); END IF;
  RETURN ROW(jsonb_build_object('applied', true, 'row', v_id), v_touched)::outcome;
END $$;

CREATE OR REPLACE FUNCTION wf_step(p_session bigint, p_row wf_instances, p_step jsonb, p_index integer, p_now bigint) RETURNS outcome LANGUAGE plpgsql AS $$
DECLARE
  v_id bigint := p_row.id; v_status text := p_step->>'status'; v_ended boolean := wf_is_terminal(v_status); v_rest bigint := (p_step->>'restUntil')::bigint;
  v_events bigint := p_row.events; v_bytes bigint := p_row.bytes; v_count integer := coalesce((p_step#>>'{append,count}')::integer, 0); v_data text := coalesce(p_step#>>'{append,data}', '');
  v_changed boolean; v_gone integer; v_ids bigint[] := '{}'; v_apps text[]; v_touched text[] := '{}'; v_ready bigint; v_item jsonb; v_outcome outcome;
BEGIN
  IF p_step ? 'resolved' THEN
    DELETE FROM wf_activities a USING jsonb_to_recordset(p_step->'resolved') AS r(activity bigint, attempt integer) WHERE a.id = r.activity AND a.attempt = r.attempt;
    GET DIAGNOSTICS v_gone = ROW_COUNT;
    IF v_gone < jsonb_array_length(p_step->'resolved') THEN RAISE EXCEPTION USING ERRCODE = '${CONFLICT}', MESSAGE = 'activity', DETAIL = p_index::text; END IF;
  END IF;
  IF p_step ? 'consumed' THEN
    DELETE FROM wf_inbox WHERE instance = v_id AND later IN (false, true) AND sequence = ANY(ARRAY(SELECT e::bigint FROM jsonb_array_elements_text(p_step->'consumed') e));
    GET DIAGNOSTICS v_gone = ROW_COUNT;
    -- Read by a turn that another overtook, though the fence says otherwise: that cannot be, and must not pass.
    IF v_gone < jsonb_array_length(p_step->'consumed') THEN RAISE EXCEPTION USING ERRCODE = '${CONFLICT}', MESSAGE = 'message', DETAIL = p_index::text; END IF;
  END IF;
  IF p_step ? 'reset' THEN
    v_events := 0; v_bytes := 0;
    DELETE FROM wf_history WHERE instance = v_id;
    DELETE FROM wf_activities WHERE instance = v_id;
    DELETE FROM wf_timers WHERE instance = v_id;
    DELETE FROM wf_inbox WHERE instance = v_id AND is_result;
    DELETE FROM wf_payloads WHERE instance = v_id AND sequence <> -1 AND NOT EXISTS (SELECT 1 FROM wf_inbox i WHERE i.instance = v_id AND i.sequence = wf_payloads.sequence);
    FOR v_item IN SELECT * FROM jsonb_array_elements(p_step#>'{reset,messages}') LOOP
      INSERT INTO wf_inbox (instance, later, is_result, event) VALUES (v_id, false, v_item->>'kind' = 'result', v_item->>'event') RETURNING sequence INTO v_ready;
      IF v_item ? 'payloads' THEN PERFORM wf_add_payloads(v_id, v_ready, v_item->'payloads'); END IF;
    END LOOP;
    v_ready := NULL;
  END IF;
  IF v_count > 0 THEN INSERT INTO wf_history VALUES (v_id, v_events, v_count, v_data); END IF;
  IF p_step#>'{append}' ? 'payloads' THEN PERFORM wf_keep_payloads(v_id, p_step#>'{append,payloads}'); END IF;
  IF p_step ? 'customStatus' THEN
    DELETE FROM wf_payloads WHERE instance = v_id AND sequence = -1;
    IF p_step ? 'customStatusPayload' THEN PERFORM wf_add_payloads(v_id, -1, jsonb_build_array(p_step->'customStatusPayload')); END IF;
  END IF;
  IF p_step ? 'snapshot' THEN
    IF p_step->>'snapshot' IS NULL THEN DELETE FROM wf_snapshots WHERE instance = v_id;
    ELSE INSERT INTO wf_snapshots VALUES (v_id, p_step->>'snapshot') ON CONFLICT (instance) DO UPDATE SET data = excluded.data;
    END IF;
  END IF;
  IF p_step ? 'dropActivities' THEN DELETE FROM wf_activities WHERE instance = v_id AND task_id = ANY(ARRAY(SELECT e::bigint FROM jsonb_array_elements_text(p_step->'dropActivities') e)); END IF;
  IF p_step ? 'dropTimers' THEN DELETE FROM wf_timers WHERE instance = v_id AND timer_id = ANY(ARRAY(SELECT e::bigint FROM jsonb_array_elements_text(p_step->'dropTimers') e)); END IF;
  IF v_ended THEN PERFORM wf_remove_open(v_id);
  ELSE
    IF p_step ? 'activities' THEN
      WITH added AS (
        INSERT INTO wf_activities (id, instance, task_id, app, name, ready, free_at, owner, session, end_by, run_ms, run_until, beat_ms, expires_at, request)
        SELECT n.id, v_id, n."taskId", n.app, n.name, CASE WHEN n.claim IS NULL THEN n.id END, p_now + (n.claim->>'leaseMs')::bigint, n.claim->>'owner', CASE WHEN n.claim IS NOT NULL THEN p_session END,
          n."endBy", n."runMs", CASE WHEN n.claim IS NOT NULL THEN p_now + n."runMs" END, n."beatMs", least(n."endBy", CASE WHEN n.claim IS NOT NULL THEN p_now + least(n."runMs", n."beatMs") END), n.request
        FROM (SELECT nextval('wf_activity_id') AS id, a.* FROM jsonb_to_recordset(p_step->'activities') AS a("taskId" bigint, app text, name text, request text, "endBy" bigint, "runMs" bigint, "beatMs" bigint, claim jsonb)) n
        ON CONFLICT DO NOTHING RETURNING id, app, ready)
      SELECT array_agg(id ORDER BY id), array_agg(DISTINCT 'workflow/' || app) FILTER (WHERE ready IS NOT NULL) INTO v_ids, v_apps FROM added;
      IF coalesce(cardinality(v_ids), 0) < jsonb_array_length(p_step->'activities') THEN RAISE EXCEPTION USING ERRCODE = '${CONFLICT}', MESSAGE = 'task', DETAIL = p_index::text; END IF;
      v_touched := v_touched || coalesce(v_apps, '{}');
      FOR v_item IN SELECT e->'payloads' FROM jsonb_array_elements(p_step->'activities') e WHERE e ? 'payloads' LOOP PERFORM wf_keep_payloads(v_id, v_item); END LOOP;
    END IF;
    IF p_step ? 'timers' THEN
      INSERT INTO wf_timers (instance, timer_id, app, due_at, is_result, event)
        SELECT v_id, (e->>'timerId')::bigint, p_row.app, (e->>'dueAt')::bigint, e#>>'{message,kind}' = 'result', e#>>'{message,event}' FROM jsonb_array_elements(p_step->'timers') e ON CONFLICT DO NOTHING;
      GET DIAGNOSTICS v_gone = ROW_COUNT;
      IF v_gone < jsonb_array_length(p_step->'timers') THEN RAISE EXCEPTION USING ERRCODE = '${CONFLICT}', MESSAGE = 'task', DETAIL = p_index::text; END IF;
      v_touched := v_touched || ('workflow/' || p_row.app);
    END IF;
    IF v_rest IS NULL AND v_status <> 'suspended' THEN v_ready := wf_unread(v_id); END IF;
  END IF;
  IF p_step ? 'attributes' THEN PERFORM wf_set_attributes(v_id, p_row.app, p_row.created_at, p_step->'attributes'); END IF;
  v_changed := v_status <> p_row.status OR (p_row.started_at IS NULL AND v_status <> 'pending');
  UPDATE wf_instances SET
    fence = fence + 1, turn = turn + 1, events = v_events + v_count, bytes = v_bytes + length(v_data), updated_at = p_now, failures = 0,
    reason = CASE WHEN p_step ? 'reason' THEN p_step->>'reason' ELSE reason END,
    custom_status = CASE WHEN p_step ? 'customStatus' THEN p_step->>'customStatus' ELSE custom_status END,
    version = coalesce(p_step->>'version', version), execution = coalesce(p_step#>>'{reset,executionId}', execution),
    status = v_status, started_at = CASE WHEN v_changed THEN coalesce(started_at, p_now) ELSE started_at END, completed_at = CASE WHEN NOT v_changed THEN completed_at WHEN v_ended THEN p_now END,
    ready = v_ready, free_at = v_rest, owner = NULL, session = NULL, claim = NULL
    WHERE id = v_id;
  IF v_changed THEN v_touched := v_touched || ('workflow-status/' || p_row.app); END IF;
  IF v_ready IS NOT NULL THEN v_touched := v_touched || ('workflow/' || p_row.app); END IF;
  IF p_step ? 'create' THEN
    FOR v_item IN SELECT * FROM jsonb_array_elements(p_step->'create') LOOP
      v_outcome := wf_create(v_item, p_now);
      v_touched := v_touched || v_outcome.touched;
      IF v_outcome.result ? 'taken' AND v_item ? 'refused' THEN v_touched := v_touched || wf_deliver(v_id, v_item->'refused'); END IF;
    END LOOP;
  END IF;
  IF p_step ? 'send' THEN
    FOR v_item IN SELECT * FROM jsonb_array_elements(p_step->'send') LOOP
      v_outcome := wf_send(v_item->>'app', v_item->>'instanceId', v_item->>'executionId', v_item->'message');
      v_touched := v_touched || v_outcome.touched;
    END LOOP;
  END IF;
  IF p_step ? 'toParent' THEN v_touched := v_touched || wf_tell_parent(p_row, p_step->'toParent'); END IF;
  -- One of the messages may have been for this instance itself.
  IF v_ready IS NULL AND NOT v_ended AND (p_step ? 'create' OR p_step ? 'send') THEN SELECT ready INTO v_ready FROM wf_instances WHERE id = v_id; END IF;
  RETURN ROW(jsonb_build_object('applied', true, 'row', v_id, 'fence', p_row.fence + 1, 'turn', p_row.turn + 1, 'ready', v_ready IS NOT NULL, 'activities', to_jsonb(v_ids)), v_touched)::outcome;
END $$;

CREATE OR REPLACE FUNCTION wf_control(p_op jsonb, p_now bigint) RETURNS outcome LANGUAGE plpgsql AS $$
DECLARE v_member wf_instances; v_status text := p_op->>'status'; v_ended boolean := v_status = 'terminated'; v_events integer := (p_op#>>'{append,count}')::integer; v_data text := p_op#>>'{append,data}'; v_count integer := 0; v_touched text[] := '{}'; v_kept text;
BEGIN
  FOR v_member IN SELECT * FROM wf_family((p_op->>'row')::bigint, coalesce((p_op->>'recurse')::boolean, false)) LOOP
    CONTINUE WHEN wf_is_terminal(v_member.status) OR v_member.status = v_status OR (v_status = 'running' AND v_member.status <> 'suspended');
    v_count := v_count + 1;
    IF p_op#>'{graceful,names}' ? v_member.name THEN
      -- It hears of it now, whatever it rests for, unless a turn is under way.
      UPDATE wf_instances SET status = CASE WHEN status = 'suspended' THEN 'running' ELSE status END, free_at = NULL WHERE id = v_member.id AND owner IS NULL AND (status = 'suspended' OR free_at IS NOT NULL);
      v_touched := v_touched || ('workflow-status/' || v_member.app) || wf_deliver(v_member.id, p_op#>'{graceful,message}') || wf_mark_ready(v_member.id);
      CONTINUE;
    END IF;
    v_kept := NULL;
    IF v_ended AND p_op ? 'keepUnread' THEN
      SELECT '[' || u.event || ']' INTO v_kept FROM (SELECT event FROM wf_inbox WHERE instance = v_member.id ORDER BY later, sequence LIMIT 1) u WHERE starts_with(u.event, p_op->>'keepUnread');
      IF v_kept IS NOT NULL THEN
        INSERT INTO wf_history VALUES (v_member.id, v_member.events, 1, v_kept);
        v_member.events := v_member.events + 1;
      END IF;
    END IF;
    INSERT INTO wf_history VALUES (v_member.id, v_member.events, v_events, v_data);
    IF p_op#>'{append}' ? 'payloads' THEN PERFORM wf_keep_payloads(v_member.id, p_op#>'{append,payloads}'); END IF;
    -- A lease is taken away; a rest, which may be that until a scheduled start, stays.
    UPDATE wf_instances SET status = v_status, fence = fence + 1, turn = turn + 1, events = v_member.events + v_events, bytes = bytes + length(v_data) + coalesce(length(v_kept), 0), updated_at = p_now, started_at = coalesce(started_at, p_now),
      completed_at = CASE WHEN v_ended THEN p_now END, ready = NULL, free_at = CASE WHEN v_ended OR owner IS NOT NULL THEN NULL ELSE free_at END, owner = NULL, session = NULL, claim = NULL WHERE id = v_member.id;
    v_touched := v_touched || ('workflow-status/' || v_member.app);
    IF v_ended THEN PERFORM wf_remove_open(v_member.id); ELSE v_touched := v_touched || wf_mark_ready(v_member.id); END IF;
    IF v_member.id = (p_op->>'row')::bigint THEN v_touched := v_touched || wf_tell_parent(v_member, p_op->'toParent'); END IF;
  END LOOP;
  RETURN ROW(jsonb_build_object('applied', v_count > 0, 'count', v_count), v_touched)::outcome;
END $$;

CREATE OR REPLACE FUNCTION wf_purge(p_op jsonb) RETURNS outcome LANGUAGE plpgsql AS $$
DECLARE v_family wf_instances[]; v_member wf_instances; v_touched text[] := '{}';
BEGIN
  SELECT array_agg(f) INTO v_family FROM wf_family((p_op->>'row')::bigint, coalesce((p_op->>'recurse')::boolean, false)) f;
  IF v_family IS NULL THEN RETURN ROW('{"applied": false, "count": 0}', '{}')::outcome; END IF;
  IF NOT p_op ? 'force' THEN
    FOREACH v_member IN ARRAY v_family LOOP
      IF NOT wf_is_terminal(v_member.status) THEN RETURN ROW(jsonb_build_object('applied', false, 'count', 0, 'status', v_member.status), '{}')::outcome; END IF;
    END LOOP;
  ELSIF NOT wf_is_terminal((v_family[1]).status) THEN v_touched := wf_tell_parent(v_family[1], p_op#>'{force,toParent}');
  END IF;
  FOREACH v_member IN ARRAY v_family LOOP
    PERFORM wf_remove_all(v_member.id);
    v_touched := v_touched || ('workflow-status/' || v_member.app);
  END LOOP;
  RETURN ROW(jsonb_build_object('applied', true, 'count', cardinality(v_family)), v_touched)::outcome;
END $$;

-- One operation on workflows; raises what refuses its batch.
CREATE OR REPLACE FUNCTION wf_apply(p_session bigint, p_op jsonb, p_index integer, p_now bigint) RETURNS outcome LANGUAGE plpgsql AS $$
DECLARE v_row wf_instances; v_found bigint; v_app text; v_status text; v_touched text[] := '{}'; v_outcome outcome;
BEGIN
  CASE p_op->>'type'
  WHEN 'workflow.step' THEN
    SELECT * INTO v_row FROM wf_instances WHERE id = (p_op->>'row')::bigint FOR NO KEY UPDATE;
    IF NOT FOUND OR v_row.fence <> (p_op->>'fence')::bigint OR wf_is_terminal(v_row.status) THEN RAISE EXCEPTION USING ERRCODE = '${CONFLICT}', MESSAGE = 'fence', DETAIL = p_index::text; END IF;
    RETURN wf_step(p_session, v_row, p_op, p_index, p_now);
  WHEN 'workflow.first-step' THEN
    SELECT * INTO v_row FROM wf_instances WHERE app = p_op->>'app' AND instance_id = p_op->>'instanceId' FOR NO KEY UPDATE;
    IF NOT FOUND OR v_row.fence <> 0 OR v_row.execution <> p_op->>'executionId' THEN RAISE EXCEPTION USING ERRCODE = '${CONFLICT}', MESSAGE = 'fence', DETAIL = p_index::text; END IF;
    DELETE FROM wf_inbox WHERE instance = v_row.id;
    RETURN wf_step(p_session, v_row, p_op, p_index, p_now);
  WHEN 'workflow.create' THEN
    v_outcome := wf_create(p_op, p_now);
    IF v_outcome.result ? 'taken' THEN RAISE EXCEPTION USING ERRCODE = '${CONFLICT}', MESSAGE = p_op->>'instanceId', DETAIL = p_index::text; END IF;
    RETURN v_outcome;
  WHEN 'workflow.send' THEN RETURN wf_send(p_op->>'app', p_op->>'instanceId', p_op->>'executionId', p_op->'message');
  WHEN 'workflow.control' THEN RETURN wf_control(p_op, p_now);
  WHEN 'workflow.purge' THEN RETURN wf_purge(p_op);
  WHEN 'workflow.reopen' THEN
    SELECT * INTO v_row FROM wf_instances WHERE id = (p_op->>'row')::bigint FOR NO KEY UPDATE;
    IF NOT FOUND THEN RETURN ROW('{"applied": false}', '{}')::outcome; END IF;
    IF NOT wf_is_terminal(v_row.status) THEN RETURN ROW(jsonb_build_object('applied', false, 'row', v_row.id, 'status', v_row.status), '{}')::outcome; END IF;
    UPDATE wf_instances SET status = 'running', fence = fence + 1, updated_at = p_now, completed_at = NULL, ready = NULL, free_at = NULL, owner = NULL, session = NULL, claim = NULL WHERE id = v_row.id;
    RETURN ROW(jsonb_build_object('applied', true, 'row', v_row.id, 'status', 'running'), ARRAY['workflow-status/' || v_row.app] || wf_deliver(v_row.id, p_op->'message'))::outcome;
  WHEN 'workflow.complete' THEN
    DELETE FROM wf_activities WHERE id = (p_op->>'activity')::bigint AND attempt = (p_op->>'attempt')::integer RETURNING instance INTO v_found;
    IF v_found IS NOT NULL THEN RETURN ROW(jsonb_build_object('applied', true, 'row', v_found), wf_deliver(v_found, p_op->'message'))::outcome; END IF;
  WHEN 'workflow.retry' THEN
    UPDATE wf_activities SET attempt = attempt + 1, ready = NULL, free_at = (p_op->>'freeAt')::bigint, owner = NULL, session = NULL, claim = NULL, run_until = NULL, expires_at = end_by, error = p_op->>'error'
      WHERE id = (p_op->>'activity')::bigint AND attempt = (p_op->>'attempt')::integer RETURNING id, app INTO v_found, v_app;
  WHEN 'workflow.defer' THEN
    UPDATE wf_activities SET owner = NULL, session = NULL, claim = NULL, free_at = NULL, ready = NULL WHERE id = (p_op->>'activity')::bigint AND attempt = (p_op->>'attempt')::integer RETURNING id INTO v_found;
  WHEN 'workflow.heartbeat' THEN
    UPDATE wf_activities SET expires_at = CASE WHEN beat_ms IS NULL THEN expires_at ELSE least(p_now + beat_ms, run_until, end_by) END
      WHERE id = (p_op->>'activity')::bigint AND attempt = (p_op->>'attempt')::integer AND ready IS NULL RETURNING id INTO v_found;
  WHEN 'workflow.return' THEN
    UPDATE wf_activities SET ready = id, free_at = NULL, owner = NULL, session = NULL, claim = NULL, run_until = NULL, expires_at = end_by WHERE id = (p_op->>'activity')::bigint AND owner = p_op->>'owner' RETURNING id, app INTO v_found, v_app;
  WHEN 'workflow.release' THEN
    UPDATE wf_instances SET fence = fence + 1, owner = NULL, session = NULL, claim = NULL, free_at = (p_op->>'restUntil')::bigint, ready = NULL, failures = failures + (p_op ? 'failed')::integer, reason = coalesce(p_op->>'failed', reason)
      WHERE id = (p_op->>'row')::bigint AND fence = (p_op->>'fence')::bigint RETURNING id, app, status INTO v_found, v_app, v_status;
    IF v_found IS NULL OR wf_is_terminal(v_status) THEN RETURN ROW('{"applied": false}', '{}')::outcome; END IF;
    IF NOT p_op ? 'restUntil' THEN v_app := NULL; v_touched := wf_mark_ready(v_found); END IF;
  WHEN 'workflow.wake' THEN
    UPDATE wf_instances SET free_at = NULL WHERE id = (p_op->>'row')::bigint AND owner IS NULL AND free_at IS NOT NULL AND status <> 'suspended' RETURNING id INTO v_found;
    IF v_found IS NOT NULL THEN v_touched := wf_mark_ready(v_found); END IF;
  END CASE;
  IF v_app IS NOT NULL THEN v_touched := v_touched || ('workflow/' || v_app); END IF;
  RETURN ROW(jsonb_build_object('applied', v_found IS NOT NULL), v_touched)::outcome;
END $$;
`;
