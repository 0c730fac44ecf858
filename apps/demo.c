// SPDX-License-Identifier: MIT
//
// What a new user sees: the banner, and one frame that is written inside a
// bracket and refused outside of it.
#include "kernel/guard.h"
#include "kernel/info.h"
#include "kernel/run.h"
#include "keyhole.h"
#include "lib/types.h"

#define FIRST_VALUE 42
#define SECOND_VALUE 43

// The functions of the scene stay functions: the report names them.
struct scene {
    struct page *page;
    volatile int *value; // where the bracket had the frame
};

static __noinline void write_inside_bracket(struct scene *scene)
{
    volatile int *value = kmap_local_page(scene->page);
    printf("    %p = kmap_local_page(page)\n", (void *)value);
    *value = FIRST_VALUE;
    printf("    *value = %d;  it reads %d\n", FIRST_VALUE, *value);
    kunmap_local((const void *)value);
    printf("    kunmap_local(value)\n\n");
    scene->value = value;
}

static void write_after_bracket(void *context)
{
    const struct scene *scene = context;
    *scene->value = SECOND_VALUE;
}

static __noinline void scene_play(struct scene *scene)
{
    printf("A frame of domain \"%s\" at physical 0x%llx. Nobody may touch it "
           "until\nit is opened:\n\n",
           domain_name(page_domain(scene->page)),
           (unsigned long long)page_to_phys(scene->page));
    write_inside_bracket(scene);
    printf("The bracket is closed. The same write again, through the same "
           "pointer:\n\n");
    bool went_through = run_reported(write_after_bracket, scene, NULL);

    int value;
    memcpy_from_page(&value, scene->page, 0, sizeof(value));
    printf("\nThe write %s: the frame holds %d, and the kernel runs on.\n",
           went_through ? "went through" : "did not happen", value);
}

void demo_run(void)
{
    printf("\nKeyhole: a kernel whose direct map is closed\n\n");
    info_print();
    printf("\n");
    struct domain *domain = domain_create("secrets");
    struct scene scene = {NULL, NULL};
    if (domain != NULL && (scene.page = alloc_page(domain)) != NULL) {
        scene_play(&scene);
        free_page(scene.page);
    } else {
        printf("No memory for the demo.\n");
    }
    domain_destroy(domain);
    printf("\nType help for the commands, exit to leave.\n\n");
}
