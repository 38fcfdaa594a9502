/** `npm run bench`: the load harness is not there yet; this says so instead of failing without words. */
console.log('npm run bench: the load harness comes with a later version. npm run measure prints start-up time and idle memory.');
