// The shipping service: sends what was ordered. There is no way to the address `nowhere`.
import { records, Refusal, serve } from './service.mjs';

const shipments = records('shipments');

async function ship({ id, address }) {
  if (address === 'nowhere') throw new Refusal('AddressUnknown', `order ${id} cannot be shipped`);
  const [known] = await shipments.load(`shipment-${id}`);
  if (!known) await shipments.save([`shipment-${id}`, { orderId: id, outcome: 'shipped' }]);
}

serve('shipping', { 'POST /ship': ship });
