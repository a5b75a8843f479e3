/**
 * A transform of asc, which compiles the kernels. Its own limits for inlining leave calls in loops that run for every member of every
 * record, and V8 inlines nothing in such modules.
 */
export default class InlineKernels {
  afterCompile(module) {
    const { binaryen } = this
    binaryen.setOptimizeLevel(3)
    binaryen.setShrinkLevel(0)
    binaryen.setFlexibleInlineMaxSize(600)
    binaryen.setOneCallerInlineMaxSize(9000)
    binaryen.setAllowInliningFunctionsWithLoops(true)
    module.runPasses(['inlining-optimizing'])
  }
}
